import { describe, expect, it, vi } from "vitest";
import { CaseCache } from "../src/viewer/cache";
import { CaseImages, type CaseSource, ChunkError, type FetchChunk } from "../src/viewer/loader";
import { layout, settled, slot } from "./fixtures";
import { seriesOf } from "../src/viewer/layout";

const SLICE = 6;

function source(key = "case", images: Record<string, string> = { t1: "tokenA" }): CaseSource {
  const roles = Object.keys(images);
  return { key, images, series: seriesOf(layout(roles.map((role) => slot(role)))) };
}

/** Chunk whose voxels hold 100 times their slice, plus their place in the slice. */
function slab(chunk: number): ArrayBuffer {
  const [z0, z1] = slot("t1").chunks[chunk] as readonly [number, number];
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
    const images = new CaseImages(source(), good, noWait, noWait);
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
      noWait,
    );
    images.start("high");
    await settled();
    expect([0, 1, 2, 3].map((z) => images.has("t1", z))).toEqual([false, true, true, false]);
    expect(images.slicesOf("t1")).toBe(2);
    expect([...images.pixels("t1", 2)]).toEqual([0, 1, 2, 3, 4, 5].map((i) => 200 + i));
    expect(() => images.pixels("t1", 0)).toThrow("not loaded");
  });

  it("keeps the first pack when another chunk overtakes it", async () => {
    let letPackCome: () => void = () => undefined;
    const bring: FetchChunk = async (_token, chunk) => {
      if (chunk === 0) await new Promise<void>((resolve) => (letPackCome = resolve));
      return slab(chunk);
    };
    const images = new CaseImages(source(), bring, noWait, noWait);
    images.start("high");
    await settled();
    letPackCome();
    await settled();
    for (let z = 0; z < 4; z++) {
      expect([...images.pixels("t1", z)]).toEqual([0, 1, 2, 3, 4, 5].map((i) => 100 * z + i));
    }
  });

  it("asks for the first-paint pack first, with the priority of the case", async () => {
    const bring = vi.fn<FetchChunk>(async (_token, chunk) => slab(chunk));
    const images = new CaseImages(source("case", { t1: "A", t2: "B" }), bring, noWait, noWait);
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
    const whole = seriesOf(layout([slot("t1", { chunks: [[0, 4]] })]));
    const images = new CaseImages({ ...source(), series: whole }, bring, noWait, noWait);
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
    const images = new CaseImages(source(), bring, noWait, noWait);
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
    const images = new CaseImages(source(), async () => new ArrayBuffer(10), noWait, noWait);
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
    const images = new CaseImages(source(), bring, noWait, noWait);
    images.start("low");
    images.stop();
    await settled();
    expect(images.failure).toBeNull();
    expect(images.complete).toBe(false);
  });
});

describe("cuts through a case", () => {
  it("shows the stored slices that are here, in any plane", async () => {
    const images = new CaseImages(
      source(),
      (_token, chunk) => (chunk === 0 ? Promise.resolve(slab(0)) : new Promise(() => undefined)),
      noWait,
      noWait,
    );
    images.start("high");
    await settled();
    // Rows go down: the top row is the last stored slice, which has not arrived.
    expect([...images.section("t1", "coronal", 1)]).toEqual([
      0, 0, 0, 203, 204, 205, 103, 104, 105, 0, 0, 0,
    ]);
  });

  it("subtracts images on one grid", async () => {
    const bring: FetchChunk = async (token, chunk) => {
      const bytes = slab(chunk);
      if (token === "B") new Int16Array(bytes).forEach((v, at, all) => (all[at] = 2 * v));
      return bytes;
    };
    const differences = [{ role: "d", of: "a", minus: "b" }];
    const images = new CaseImages(
      { ...source("x", { a: "A", b: "B" }), differences },
      bring,
      noWait,
      noWait,
    );
    images.start("high");
    await settled();
    expect([...images.pixels("d", 3)]).toEqual([-300, -301, -302, -303, -304, -305]);
  });
});

describe("cases in memory", () => {
  function cache() {
    return new CaseCache((case_) => new CaseImages(case_, good, noWait, noWait));
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

  it("fetches only the first pack of the case after the next", async () => {
    const bring = vi.fn<FetchChunk>(async (_token, chunk) => slab(chunk));
    const cases = new CaseCache((case_) => new CaseImages(case_, bring, noWait, noWait));
    cases.open(source("1"));
    await settled();
    cases.prefetch(source("2", { t1: "second" }), source("3", { t1: "third" }));
    await settled();
    cases.prefetch(source("2", { t1: "second" }), source("3", { t1: "third" }));
    await settled();
    expect(bring.mock.calls.filter(([token]) => token === "second")).toHaveLength(3);
    expect(bring.mock.calls.filter(([token]) => token === "third").map(([, at]) => at)).toEqual([
      0,
    ]);
    expect(cases.packKey).toBe("3");
    expect(cases.keys()).toEqual(["1", "2"]);
  });

  it("goes on from the pack when that case comes nearer", async () => {
    const bring = vi.fn<FetchChunk>(async (_token, chunk) => slab(chunk));
    const cases = new CaseCache((case_) => new CaseImages(case_, bring, noWait, noWait));
    cases.open(source("1"));
    await settled();
    cases.prefetch(source("2"), source("3", { t1: "third" }));
    await settled();
    cases.prefetch(source("2"), source("3", { t1: "third" }));
    await settled();
    cases.open(source("2"));
    const third = cases.prefetch(source("3", { t1: "third" }));
    await settled();
    expect(third.complete).toBe(true);
    expect(bring.mock.calls.filter(([token]) => token === "third").map(([, at]) => at)).toEqual([
      0, 1, 2,
    ]);
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
