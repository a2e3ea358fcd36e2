import { describe, expect, it } from "vitest";
import { rowsOf } from "../src/results/tip";

describe("the values of a point", () => {
  it("are shown by name", () => {
    expect(rowsOf({ sensitivity: "0.812", threshold: 3 })).toEqual([
      ["sensitivity", "0.812"],
      ["threshold", "3"],
    ]);
  });

  it("may be a single text", () => {
    expect(rowsOf("R1")).toEqual([["", "R1"]]);
  });

  it("are nothing off a point", () => {
    expect(rowsOf(null)).toEqual([]);
    expect(rowsOf("")).toEqual([]);
  });
});
