// @vitest-environment jsdom
import { describe, expect, it } from "vitest";
import { isOfSystem, type Chosen } from "../src/intake/files";
import { Lost, Refusal, type Announced, type Answer, type Server } from "../src/intake/server";
import { durationText, paceText, sizeText, Speed } from "../src/intake/speed";
import { Uploader } from "../src/intake/uploader";
import { UploadView } from "../src/intake/view";

/** A server that keeps bytes as the real one does: a part must begin where the file ends. */
class StoringServer implements Server {
  readonly stored = new Map<string, number[]>();
  readonly calls: string[] = [];
  readonly announced: string[] = [];
  refuse: (path: string) => string | null = () => null;
  /** Called before each part; what it throws is what the sender sees. */
  before: (token: string, offset: number) => void = () => {};
  /** Called after each part was stored: an answer that is lost on its way. */
  after: (token: string, offset: number) => void = () => {};

  async open() {
    this.calls.push("open");
    return { id: "1", page: "/p/", start: "/s/", part_bytes: 4 };
  }

  async announce(files: readonly Announced[]): Promise<Answer[]> {
    return files.map(({ path }) => {
      const error = this.refuse(path);
      if (error) return { path, error };
      this.announced.push(path);
      if (!this.stored.has(path)) this.stored.set(path, []);
      return { path, token: path, received: this.bytes(path).length };
    });
  }

  async received(token: string) {
    return this.bytes(token).length;
  }

  async send(token: string, offset: number, part: Blob) {
    this.before(token, offset);
    const there = this.bytes(token);
    this.calls.push(`${token} ${offset}`);
    if (offset !== there.length) throw new Refusal("go on", 409, "offset", there.length);
    there.push(...new Uint8Array(await part.arrayBuffer()));
    this.after(token, offset);
    return there.length;
  }

  async leaveOut(token: string) {
    this.stored.delete(token);
  }

  async cancel() {
    this.calls.push("cancel");
  }

  bytes(token: string): number[] {
    return this.stored.get(token) as number[];
  }
}

/** The environment's own files cannot be read; this one knows what an upload asks of a file. */
function fileOf(bytes: Uint8Array<ArrayBuffer>): File {
  return {
    size: bytes.length,
    lastModified: 5,
    slice: (start: number, end: number) => fileOf(bytes.slice(start, end)),
    arrayBuffer: async () => bytes.buffer,
  } as unknown as File;
}

function chosen(path: string, size: number): Chosen {
  return { path, file: fileOf(Uint8Array.from(upTo(size))) };
}

const upTo = (size: number) => Array.from({ length: size }, (_, index) => index % 251);

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 500 && !condition(); turn += 1) {
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  expect(condition()).toBe(true);
}

function uploader(server: Server, waits: number[] = []) {
  const wait = async (ms: number) => {
    waits.push(ms);
  };
  return new Uploader(server, () => {}, { wait, atOnce: 2, announceAtOnce: 3 });
}

describe("an upload", () => {
  it("sends each file in parts, whole and in order", async () => {
    const server = new StoringServer();
    const upload = uploader(server);
    await upload.add([chosen("a/t1.nii", 10), chosen("a/t2.nii", 4), chosen("a/empty", 0)]);
    await until(() => !upload.busy);
    expect(server.bytes("a/t1.nii")).toEqual(upTo(10));
    expect(server.bytes("a/t2.nii")).toEqual(upTo(4));
    expect(server.calls.filter((call) => call.startsWith("a/t1"))).toEqual([
      "a/t1.nii 0",
      "a/t1.nii 4",
      "a/t1.nii 8",
    ]);
    expect(upload.totals).toEqual({ files: 3, done: 3, refused: 0, bytes: 14, received: 14 });
    expect(server.calls.filter((call) => call === "open")).toHaveLength(1);
  });

  it("goes on where it stopped when the same file is chosen again after a reload", async () => {
    const server = new StoringServer();
    server.stored.set("a/t1.nii", upTo(8));
    const upload = uploader(server);
    await upload.add([chosen("a/t1.nii", 10)]);
    await until(() => !upload.busy);
    expect(server.calls).toEqual(["open", "a/t1.nii 8"]);
    expect(server.bytes("a/t1.nii")).toEqual(upTo(10));
  });

  it("tries again after a lost connection, waiting longer each time", async () => {
    const server = new StoringServer();
    let left = 3;
    server.before = () => {
      left -= 1;
      if (left >= 0) throw new Lost("gone");
    };
    const waits: number[] = [];
    const upload = uploader(server, waits);
    await upload.add([chosen("a", 6)]);
    await until(() => !upload.busy);
    expect(waits).toEqual([1000, 2000, 4000]);
    expect(server.bytes("a")).toEqual(upTo(6));
    expect(upload.retryAt).toBe(0);
  });

  it("does not send twice what arrived although its answer was lost", async () => {
    const server = new StoringServer();
    let first = true;
    server.after = () => {
      if (!first) return;
      first = false;
      throw new Lost("no answer");
    };
    const upload = uploader(server);
    await upload.add([chosen("a", 10)]);
    await until(() => !upload.busy);
    expect(server.bytes("a")).toEqual(upTo(10));
    expect(server.calls).toEqual(["open", "a 0", "a 0", "a 4", "a 8"]);
  });

  it("sends a part again that was damaged on its way", async () => {
    const server = new StoringServer();
    let first = true;
    server.before = () => {
      if (!first) return;
      first = false;
      throw new Refusal("damaged", 400, "damaged");
    };
    const upload = uploader(server);
    await upload.add([chosen("a", 4)]);
    await until(() => !upload.busy);
    expect(server.bytes("a")).toEqual(upTo(4));
  });

  it("lists what the server refuses, and sends the others", async () => {
    const server = new StoringServer();
    server.refuse = (path) => (path.includes("..") ? "The name leads out of the upload." : null);
    const upload = uploader(server);
    await upload.add([chosen("../../evil", 4), chosen("good", 4)]);
    await until(() => !upload.busy);
    expect(upload.items.map((item) => [item.path, item.state, item.error])).toEqual([
      ["../../evil", "refused", "The name leads out of the upload."],
      ["good", "done", ""],
    ]);
    expect(server.announced).toEqual(["good"]);
  });

  it("stops as a whole when the disk is full, and goes on when asked", async () => {
    const server = new StoringServer();
    let full = true;
    server.before = () => {
      if (full) throw new Refusal("The disk is full.", 413, "disk_full");
    };
    const upload = uploader(server);
    await upload.add([chosen("a", 4), chosen("b", 4), chosen("c", 4)]);
    await until(() => upload.stopped !== "");
    expect(upload.stopped).toBe("The disk is full.");
    expect(upload.busy).toBe(true);
    full = false;
    upload.goOn();
    await until(() => !upload.busy);
    expect(upload.totals.done).toBe(3);
  });

  it("can go on without the files that are too many", async () => {
    const server = new StoringServer();
    const announce = server.announce.bind(server);
    let asked = 0;
    server.announce = async (files) => {
      asked += 1;
      if (asked > 1) throw new Refusal("At most 3 files.", 413, "too_much");
      return announce(files);
    };
    const upload = uploader(server);
    await upload.add(["a", "b", "c", "d", "e"].map((name) => chosen(name, 2)));
    expect(upload.stopped).toBe("At most 3 files.");
    expect(upload.unannounced.map((item) => item.path)).toEqual(["d", "e"]);
    upload.goOnWithoutRest();
    await until(() => !upload.busy);
    expect(upload.totals).toMatchObject({ files: 3, done: 3 });
  });

  it("passes over what file managers leave in folders", async () => {
    const upload = uploader(new StoringServer());
    await upload.add([chosen("a/.DS_Store", 4), chosen("__MACOSX/a/._t1.nii", 4), chosen("t", 4)]);
    await until(() => !upload.busy);
    expect(upload.items.map((item) => item.path)).toEqual(["t"]);
    expect(upload.passedOver).toBe(2);
    expect(isOfSystem("a/Thumbs.db")).toBe(true);
    expect(isOfSystem("a/t1.nii.gz")).toBe(false);
  });

  it("takes a file once, however often it is chosen", async () => {
    const server = new StoringServer();
    const upload = uploader(server);
    await upload.add([chosen("a", 4)]);
    await upload.add([chosen("a", 4)]);
    await until(() => !upload.busy);
    expect(server.announced).toEqual(["a"]);
  });

  it("leaves a file out, also while it is on its way", async () => {
    const server = new StoringServer();
    const upload = uploader(server);
    let removed = false;
    server.after = () => {
      if (removed) return;
      removed = true;
      void upload.remove(upload.items[0] as never);
    };
    await upload.add([chosen("a", 40), chosen("b", 4)]);
    await until(() => !upload.busy);
    expect([...server.stored.keys()]).toEqual(["b"]);
  });

  it("sends nothing after it was cancelled", async () => {
    const server = new StoringServer();
    const upload = uploader(server);
    server.after = () => void upload.cancel();
    await upload.add([chosen("a", 400)]);
    await until(() => server.calls.includes("cancel"));
    const sent = server.calls.length;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(server.calls.length - sent).toBeLessThanOrEqual(1);
  });
});

describe("the list of files", () => {
  it("shows what failed first, and counts what is not shown", async () => {
    const server = new StoringServer();
    server.refuse = (path) => (path === "n99" ? "Rename it." : null);
    const upload = uploader(server);
    const place = document.createElement("div");
    const view = new UploadView(place, upload);
    await upload.add(Array.from({ length: 100 }, (_, index) => chosen(`n${index}`, 1)));
    await until(() => !upload.busy);
    view.draw();
    const rows = [...place.querySelectorAll(".upload-file")];
    expect(rows).toHaveLength(60);
    expect(rows[0]?.querySelector(".upload-file__name")?.textContent).toBe("n99");
    expect(rows[0]?.querySelector(".upload-file__error")?.textContent).toBe("Rename it.");
    expect(place.querySelector(".upload-list__more")?.textContent).toBe("and 40 more files");
    expect(place.textContent).toContain("99 of 99 files, 99 bytes of 99 bytes, 1 not taken");
  });

  it("never takes a name for markup", async () => {
    const upload = uploader(new StoringServer());
    const place = document.createElement("div");
    const view = new UploadView(place, upload);
    await upload.add([chosen("<img src=x onerror=alert(1)>", 1)]);
    await until(() => !upload.busy);
    view.draw();
    expect(place.querySelector("img")).toBeNull();
  });
});

describe("pace", () => {
  it("is told over the last seconds, once enough is known", () => {
    let now = 0;
    const speed = new Speed(() => now);
    speed.add(0);
    now = 1000;
    speed.add(1_000_000);
    expect(speed.bytesPerSecond).toBeNull();
    now = 2000;
    speed.add(1_000_000);
    expect(speed.bytesPerSecond).toBe(1_000_000);
  });

  it("is said in words", () => {
    expect(sizeText(999)).toBe("999 bytes");
    expect(sizeText(48.79)).toBe("49 bytes");
    expect(sizeText(3 * 2 ** 20)).toBe("3.0 MB");
    expect(durationText(0.2)).toBe("1 s");
    expect(durationText(150)).toBe("3 min");
    expect(durationText(3 * 3600)).toBe("3.0 h");
    expect(paceText(2 ** 20, 60 * 2 ** 20)).toBe("1.0 MB/s, about 60 s left");
    expect(paceText(null, 10)).toBe("");
  });
});
