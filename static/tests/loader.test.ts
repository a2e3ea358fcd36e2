import { describe, expect, it, vi } from "vitest";
import { CaseCache } from "../src/viewer/cache";
import { CaseImages, type CaseSource, ChunkError, type FetchChunk } from "../src/viewer/loader";
import { settled } from "./fixtures";

const SLICE = 6;

function source(key = "case", images: Record<string, string> = { t1: "tokenA" }): CaseSource {
  return {
    key,
    images,
    geometry: { shape: [4, 2, 3], spacing: [2, 1, 1] },
    chunks: [
      [1, 3],
      [3, 4],
      [0, 1],
    ],
  };
}

/** Chunk whose voxels hold 100 times their slice, plus their place in the slice. */
function slab(chunk: number): ArrayBuffer {
  const [z0, z1] = source().chunks[chunk] as readonly [number, number];
  const values = new Int16Array((z1 - z0) * SLICE);
  for (let i = 0; i < values.length; i++) {
    values[i] = 100 * (z0 + Math.floor(i / SLICE)) + (i % SLICE);
  }
  return values.buffer;
}

const good: FetchChunk = async (_token, chunk) => slab(chunk);
const noWait = async () => undefined;

describe("one case", () => {
  it("puts every chunk at its slices", async () => {
    const images = new CaseImages(source(), good, noWait);
    images.start("high");
    await settled();
    expect(images.complete).toBe(true);
    for (let z = 0; z < 4; z++) {
      expect([...images.pixels("t1", z)]).toEqual([0, 1, 2, 3, 4, 5].map((i) => 100 * z + i));
    }
  });

  it("shows what has arrived before the rest", async () => {
    const images = new CaseImages(
      source(),
      (_token, chunk) => (chunk === 0 ? Promise.resolve(slab(0)) : new Promise(() => undefined)),
      noWait,
    );
    images.start("high");
    await settled();
    expect([0, 1, 2, 3].map((z) => images.hasAll(z))).toEqual([false, true, true, false]);
    expect(images.slicesLoaded).toBe(2);
    expect(() => images.pixels("t1", 0)).toThrow("not loaded");
  });

  it("asks for the first-paint pack first, with the priority of the case", async () => {
    const bring = vi.fn<FetchChunk>(async (_token, chunk) => slab(chunk));
    const images = new CaseImages(source("case", { t1: "A", t2: "B" }), bring, noWait);
    images.start("low");
    await settled();
    expect(bring.mock.calls.slice(0, 2).map(([token, chunk]) => [token, chunk])).toEqual([
      ["A", 0],
      ["B", 0],
    ]);
    expect(bring.mock.calls.every(([, , options]) => options.priority === "low")).toBe(true);
  });

  it("tries a lost chunk again and then says what failed", async () => {
    const bring = vi.fn<FetchChunk>(async () => {
      throw new ChunkError("network", "lost");
    });
    const images = new CaseImages({ ...source(), chunks: [[0, 4]] }, bring, noWait);
    images.start("high");
    await settled();
    expect(bring).toHaveBeenCalledTimes(3);
    expect(images.failure?.kind).toBe("network");
  });

  it("goes on after a failure when asked to", async () => {
    let broken = true;
    const bring: FetchChunk = async (_token, chunk) => {
      if (broken) throw new ChunkError("gone", "no");
      return slab(chunk);
    };
    const images = new CaseImages(source(), bring, noWait);
    images.start("high");
    await settled();
    expect(images.failure?.kind).toBe("gone");
    broken = false;
    images.start("high");
    await settled();
    expect(images.complete).toBe(true);
    expect(images.failure).toBeNull();
  });

  it("refuses bytes of another length", async () => {
    const images = new CaseImages(source(), async () => new ArrayBuffer(10), noWait);
    images.start("high");
    await settled();
    expect(images.failure?.kind).toBe("damaged");
    expect(images.failure?.message).toContain("10 of");
  });

  it("stops its requests without calling that a failure", async () => {
    const bring: FetchChunk = (_token, _chunk, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(new Error("aborted")));
      });
    const images = new CaseImages(source(), bring, noWait);
    images.start("low");
    images.stop();
    await settled();
    expect(images.failure).toBeNull();
    expect(images.complete).toBe(false);
  });
});

describe("cases in memory", () => {
  function cache() {
    return new CaseCache((case_) => new CaseImages(case_, good, noWait));
  }

  it("never holds more than two", async () => {
    const cases = cache();
    for (const key of ["1", "2", "3", "4"]) {
      cases.open(source(key));
      await settled();
      cases.prefetch(source(String(Number(key) + 1)));
      await settled();
      expect(cases.keys()).toEqual([key, String(Number(key) + 1)]);
    }
  });

  it("opens a prefetched case without loading it again", async () => {
    const cases = cache();
    cases.open(source("1"));
    const next = cases.prefetch(source("2"));
    await settled();
    expect(cases.open(source("2"))).toBe(next);
    expect(next.complete).toBe(true);
  });

  it("keeps the case before until the next one is asked for", async () => {
    const cases = cache();
    cases.open(source("1"));
    await settled();
    cases.open(source("2"));
    expect(cases.find("1")?.complete).toBe(true);
    cases.prefetch(source("3"));
    expect(cases.find("1")).toBeNull();
  });
});
