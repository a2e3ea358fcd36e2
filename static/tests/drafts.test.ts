// @vitest-environment jsdom
import { IDBFactory } from "fake-indexeddb";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Drafts, type LocalDraft } from "../src/reading/drafts";
import { openDatabase } from "../src/shared/database";

const draft = (answer: string): Omit<LocalDraft, "id"> => ({
  answers: { q1: answer },
  active: 1,
  viewer: {},
  extras: { view: { position: [3, 4, 5], centre: [0, 0, 0], scale: 2 }, measures: [] },
  clock: { shownAt: 1, load: 2, look: 3, idle: 0, away: 0, paused: false, at: 4 },
});

let database: IDBDatabase;

beforeEach(async () => {
  globalThis.indexedDB = new IDBFactory();
  database = await openDatabase();
  sessionStorage.clear();
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});

afterEach(() => {
  vi.useRealTimers();
});

describe("a half-filled form", () => {
  it("is there again at once in the same tab", async () => {
    const drafts = new Drafts(database, "owner", async () => undefined);
    drafts.keep("t1", draft("a"));
    expect((await drafts.find("t1"))?.answers).toEqual({ q1: "a" });
  });

  it("reaches the disk although changes never stop", async () => {
    const drafts = new Drafts(database, "owner", async () => undefined);
    for (let i = 0; i < 10; i++) {
      drafts.keep("t1", draft("b"));
      await vi.advanceTimersByTimeAsync(100);
    }
    sessionStorage.clear();
    vi.useRealTimers();
    expect((await drafts.find("t1"))?.extras.view.position).toEqual([3, 4, 5]);
  });

  it("goes to the server once changes have stopped for a second", async () => {
    const save = vi.fn(async () => undefined);
    const drafts = new Drafts(null, "owner", save);
    drafts.keep("t1", draft("a"));
    await vi.advanceTimersByTimeAsync(900);
    drafts.keep("t1", draft("b"));
    await vi.advanceTimersByTimeAsync(900);
    expect(save).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(100);
    expect(save.mock.calls).toEqual([["t1", { q1: "b" }, {}]]);
  });

  it("is not sent after its answer was given", async () => {
    const save = vi.fn(async () => undefined);
    const drafts = new Drafts(null, "owner", save);
    drafts.keep("t1", draft("a"));
    await drafts.drop("t1");
    await vi.advanceTimersByTimeAsync(5000);
    expect(save).not.toHaveBeenCalled();
    expect(await drafts.find("t1")).toBeNull();
  });

  it("belongs to one user", async () => {
    new Drafts(null, "owner", async () => undefined).keep("t1", draft("a"));
    expect(await new Drafts(null, "other", async () => undefined).find("t1")).toBeNull();
  });
});
