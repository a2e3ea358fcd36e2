import { describe, expect, it } from "vitest";
import { type Chunk, checkChunks, fetchOrder, ranges } from "../src/viewer/plan";

const CHUNKS: Chunk[] = [
  [38, 42],
  [42, 58],
  [22, 38],
  [58, 80],
  [0, 22],
];

describe("order of requests", () => {
  it("brings the first-paint pack of every pane before anything else", () => {
    const order = fetchOrder([
      { role: "t1", chunks: CHUNKS.slice(0, 2) },
      { role: "t2", chunks: CHUNKS.slice(0, 2) },
    ]);
    expect(order).toEqual([
      { role: "t1", chunk: 0 },
      { role: "t2", chunk: 0 },
      { role: "t1", chunk: 1 },
      { role: "t2", chunk: 1 },
    ]);
  });
});

describe("chunks of an image", () => {
  it("accepts chunks that cover every slice once", () => {
    expect(() => checkChunks(CHUNKS, 80)).not.toThrow();
  });

  it("refuses gaps, overlaps and missing ends", () => {
    expect(() =>
      checkChunks(
        [
          [0, 10],
          [12, 20],
        ],
        20,
      ),
    ).toThrow("slice 10");
    expect(() =>
      checkChunks(
        [
          [0, 10],
          [8, 20],
        ],
        20,
      ),
    ).toThrow("slice 10");
    expect(() => checkChunks([[0, 10]], 20)).toThrow("10 of 20");
  });
});

describe("ranges", () => {
  it("are half-open and sorted", () => {
    const flags = [true, true, false, true, false, false, true];
    expect(ranges(flags)).toEqual([
      [0, 2],
      [3, 4],
      [6, 7],
    ]);
    expect(ranges([])).toEqual([]);
  });
});
