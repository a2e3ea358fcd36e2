import { IDBFactory } from "fake-indexeddb";
import { beforeEach, describe, expect, it } from "vitest";
import { AnswerQueue, databaseStore } from "../src/reading/queue";
import { openDatabase } from "../src/shared/database";
import { reading, submission } from "./fixtures";

const OWNER = "enrolment|R1";
let database: IDBDatabase;

beforeEach(async () => {
  globalThis.indexedDB = new IDBFactory();
  database = await openDatabase();
});

async function reopened(owner = OWNER): Promise<AnswerQueue> {
  const queue = new AnswerQueue(databaseStore(database), owner);
  await queue.load();
  return queue;
}

describe("answers on disk", () => {
  it("are there for the next page, in the order they were given", async () => {
    const queue = await reopened();
    await queue.add(reading(2), submission("second"), 2000);
    await queue.add(reading(1), submission("first"), 1000);
    const later = await reopened();
    expect(later.waiting.map(({ key }) => key)).toEqual(["first", "second"]);
    expect(later.waiting[0]?.body).toEqual(submission("first"));
  });

  it("leave only when removed", async () => {
    const queue = await reopened();
    await queue.add(reading(1), submission("first"), 1000);
    await queue.change("first", { attempts: 3 });
    expect((await reopened()).waiting[0]?.attempts).toBe(3);
    await queue.remove("first");
    expect((await reopened()).all).toEqual([]);
  });

  it("belong to one enrolment and user", async () => {
    const queue = await reopened();
    await queue.add(reading(1), submission("first"), 1000);
    expect((await reopened("enrolment|R2")).all).toEqual([]);
    expect((await reopened("other|R1")).all).toEqual([]);
  });

  it("are held back at once, and on disk", async () => {
    const queue = await reopened();
    await queue.add(reading(1), submission("first"), 1000);
    const held = queue.hold("first");
    expect(queue.waiting).toEqual([]);
    await held;
    expect((await reopened()).held?.key).toBe("first");
  });

  it("get a new key without ever being absent", async () => {
    const queue = await reopened();
    await queue.add(reading(1), submission("first"), 1000);
    await queue.rekey("first", "again");
    const later = await reopened();
    expect(later.all.map(({ key, body }) => [key, body.key])).toEqual([["again", "again"]]);
  });

  it("do not count as kept when the disk refuses them", async () => {
    const queue = await reopened();
    database.close();
    await expect(queue.add(reading(1), submission("first"), 1000)).rejects.toThrow();
    expect(queue.all).toEqual([]);
  });
});
