import { describe, expect, it } from "vitest";
import { boxOf, type Grid, sliceAt } from "../src/viewer/geometry";
import { cellsOf, nextHanging, panesNeeded } from "../src/viewer/hanging";
import { Views } from "../src/viewer/views";
import { slot } from "./fixtures";

const THIN: Grid = { plane: "axial", shape: [80, 10, 10], spacing: [2, 1, 1], origin: [0, 0, -59] };
const THICK: Grid = { ...THIN, shape: [32, 8, 8], spacing: [5, 1.2, 1.2], origin: [0, 0, -57.5] };
const SIDE: Grid = {
  plane: "sagittal",
  shape: [10, 80, 10],
  spacing: [1, 2, 1],
  origin: [0, 0, 99],
};

function views(): Views {
  return new Views(boxOf([THIN, THICK, SIDE]));
}

describe("linked panes", () => {
  it("follow by the position of the patient, not by the number of the slice", () => {
    const linked = views();
    linked.toSlice("thin", THIN, 50);
    // Slice 50 lies at z = 41; the thick slices lie at -57.5 + 5 k, nearest k = 20 at 42.5.
    expect(linked.slice("thick", THICK)).toBe(20);
    linked.toSlice("thick", THICK, 21);
    // z = 47.5: the thin slice at 47 is 53.
    expect(linked.slice("thin", THIN)).toBe(53);
  });

  it("scroll across another plane without moving it", () => {
    const linked = views();
    const before = linked.slice("side", SIDE);
    linked.toSlice("thin", THIN, 3);
    expect(linked.slice("side", SIDE)).toBe(before);
    linked.change("thin", { position: [7, 0, 0] });
    expect(linked.slice("side", SIDE)).toBe(7);
  });

  it("say whether anything moved, and stop at the ends", () => {
    const linked = views();
    expect(linked.toSlice("thin", THIN, 9999)).toBe(true);
    expect(linked.slice("thin", THIN)).toBe(79);
    expect(linked.toSlice("thin", THIN, 80)).toBe(false);
  });

  it("share scale and centre in mm", () => {
    const linked = views();
    linked.setCamera("thin", "axial", { centre: [4, 6], scale: 3 });
    expect(linked.camera("thick", "axial", 1)).toEqual({ centre: [4, 6], scale: 3 });
    const side = linked.camera("side", "sagittal", 1);
    expect([side.centre[0], side.scale]).toEqual([6, 3]);
  });

  it("fit at one scale, the smallest of all panes", () => {
    const wide = { plane: "axial", size: { width: 400, height: 400 } } as const;
    const narrow = { plane: "axial", size: { width: 20, height: 400 } } as const;
    const scale = views().fit("axial", wide.size, [wide, narrow]);
    expect(scale).toBe(views().fit("axial", narrow.size, [narrow]));
  });
});

describe("panes that are not linked", () => {
  it("move alone, and go on from there when linked again", () => {
    const parted = views();
    parted.toSlice("thin", THIN, 50);
    parted.setLinked(false, "thin");
    parted.toSlice("thin", THIN, 10);
    expect(parted.slice("thin", THIN)).toBe(10);
    expect(parted.slice("thick", THICK)).toBe(20);
    parted.setLinked(true, "thin");
    expect(parted.slice("thick", THICK)).toBe(sliceAt(THICK, [0, 0, -39]));
  });
});

describe("hangings", () => {
  const slots = ["a", "b", "c", "d", "e"].map((role) => slot(role));
  const roles = (hanging: Parameters<typeof cellsOf>[0], active: number) =>
    cellsOf(hanging, slots, active).map((cell) => cell?.slot.role ?? null);

  it("show the images around the active one", () => {
    expect(roles("1x1", 3)).toEqual(["d"]);
    expect(roles("1x2", 3)).toEqual(["c", "d"]);
    expect(roles("2x2", 4)).toEqual(["e", null, null, null]);
    expect(roles("2x3", 4)).toEqual(["a", "b", "c", "d", "e", null]);
  });

  it("cut the active image in three planes", () => {
    const cells = cellsOf("planes", slots, 2);
    expect(cells.map((cell) => cell?.plane)).toEqual(["axial", "coronal", "sagittal"]);
    expect(new Set(cells.map((cell) => cell?.slot.role))).toEqual(new Set(["c"]));
  });

  it("are gone through forth and back", () => {
    expect(nextHanging(["1x1", "2x2", "planes"], "planes", 1)).toBe("1x1");
    expect(nextHanging(["1x1", "2x2", "planes"], "1x1", -1)).toBe("planes");
  });

  it("need as many panes as the largest of them shows", () => {
    expect(panesNeeded(["1x1"], 4)).toBe(1);
    expect(panesNeeded(["1x1", "planes"], 1)).toBe(3);
    expect(panesNeeded(["2x3", "1x2"], 5)).toBe(5);
  });
});
