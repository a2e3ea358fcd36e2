import { describe, expect, it, vi } from "vitest";
import { Drawing, type Sheet } from "../src/viewer/drawing";
import type { Grid, Vec3 } from "../src/viewer/geometry";
import {
  ellipseStatistics,
  gripAt,
  lengthMm,
  liesOn,
  type Measure,
  measured,
  reshaped,
} from "../src/viewer/measure";
import { formatLevel, formatStatistic } from "../src/viewer/values";

const GRID: Grid = {
  plane: "sagittal",
  shape: [9, 30, 40],
  spacing: [3, 1.5, 0.8],
  origin: [-12, -16, 22],
};
const CAMERA = { centre: [0, 0] as const, scale: 4 };
const PANE = { width: 400, height: 400 };

function measure(changes: Partial<Measure>): Measure {
  const plain = { id: "1", kind: "length", role: "a", plane: "sagittal" } as const;
  return { ...plain, points: [], ...changes };
}

function pixels(): Int16Array {
  return Int16Array.from({ length: 1200 }, (_, at) => ((at * 7919) % 4096) - 500);
}

describe("lengths", () => {
  it("are measured in mm of the patient", () => {
    const line = measure({
      points: [
        [0, 1, 2],
        [0, 4, 6],
      ],
    });
    expect(lengthMm(line)).toBe(5);
  });

  it("lie on one slice", () => {
    const line = measure({
      points: [
        [-2.6, 1, 2],
        [-2.6, 4, 6],
      ],
    });
    expect(liesOn(line, GRID, 3)).toBe(true);
    expect(liesOn(line, GRID, 4)).toBe(false);
    expect(liesOn(line, { ...GRID, plane: "axial" }, 3)).toBe(false);
  });
});

describe("ellipses", () => {
  const round = measure({
    kind: "ellipse",
    points: [
      [0, -9.3, 12.2],
      [0, 6.1, -3.7],
    ],
  });

  it("equal a direct sum over the voxel centres inside", () => {
    const levels = pixels();
    const inside: number[] = [];
    for (let row = 0; row < 30; row++) {
      for (let column = 0; column < 40; column++) {
        const y = -16 + column * 0.8;
        const z = 22 - row * 1.5;
        const share = ((y - -1.6) / 7.7) ** 2 + ((z - 4.25) / 7.95) ** 2;
        if (share <= 1) inside.push(levels[row * 40 + column] as number);
      }
    }
    const mean = inside.reduce((a, b) => a + b) / inside.length;
    const sd = Math.sqrt(inside.reduce((a, b) => a + (b - mean) ** 2, 0) / inside.length);
    const found = ellipseStatistics(round, GRID, levels);
    expect(inside.length).toBeGreaterThan(100);
    expect(found?.n).toBe(inside.length);
    expect(found?.mean).toBeCloseTo(mean, 9);
    expect(found?.sd).toBeCloseTo(sd, 9);
    expect(found?.area).toBeCloseTo(Math.PI * 7.7 * 7.95, 9);
  });

  it("answer in the unit of the image", () => {
    const levels = new Int16Array(1200).fill(100);
    const scale = { unit: "mL/100 g", slope: 0.02, intercept: -1 };
    expect(measured(round, GRID, levels, scale)).toMatchObject({ mean: 1, sd: 0 });
    const point = measure({ kind: "point", points: [[0, -16, 22]] });
    levels[0] = 300;
    expect(measured(point, GRID, levels, scale)).toEqual({ level: 5 });
    expect(measured(point, GRID, levels, null)).toEqual({ level: 300 });
  });

  it("say nothing where no voxel centre lies inside", () => {
    const small = measure({
      kind: "ellipse",
      points: [
        [0, 0.05, 0.05],
        [0, 0.1, 0.1],
      ],
    });
    expect(ellipseStatistics(small, GRID, pixels())).toBeNull();
  });
});

describe("taking hold", () => {
  const line = measure({
    points: [
      [0, -10, 0],
      [0, 10, 0],
    ],
  });
  const round = measure({
    kind: "ellipse",
    points: [
      [0, -10, 5],
      [0, 10, -5],
    ],
  });

  it("finds ends, then the line", () => {
    expect(gripAt(line, CAMERA, PANE, [160, 203], 7)).toBe(0);
    expect(gripAt(line, CAMERA, PANE, [240, 200], 7)).toBe(1);
    expect(gripAt(line, CAMERA, PANE, [200, 205], 7)).toBe("body");
    expect(gripAt(line, CAMERA, PANE, [200, 215], 7)).toBeNull();
  });

  it("finds the line of an ellipse but not its inside", () => {
    expect(gripAt(round, CAMERA, PANE, [200, 200], 7)).toBeNull();
    expect(gripAt(round, CAMERA, PANE, [228, 214], 7)).toBe("body");
    expect(gripAt(round, CAMERA, PANE, [200, 181], 7)).toBe(2);
  });

  it("moves one end, one side, or all", () => {
    expect(reshaped(line, 1, [2, 3]).points).toEqual([
      [0, -10, 0],
      [0, 12, -3],
    ]);
    expect(reshaped(line, "body", [2, 3]).points).toEqual([
      [0, -8, -3],
      [0, 12, -3],
    ]);
    // The right end of the ellipse widens it and leaves its height.
    expect(reshaped(round, 1, [2, 3]).points).toEqual([
      [0, -10, 5],
      [0, 12, -5],
    ]);
  });
});

describe("drawing", () => {
  const sheet: Sheet = {
    role: "a",
    grid: GRID,
    slice: 4,
    depth: 0,
    camera: CAMERA,
    size: PANE,
    shared: true,
  };

  it("keeps what was dragged and drops a mere click", () => {
    const drawing = new Drawing(vi.fn());
    drawing.begin("length", sheet, [0, 0]);
    drawing.end(4);
    expect(drawing.all).toHaveLength(0);
    drawing.begin("length", sheet, [0, 0]);
    drawing.move([3, -4]);
    drawing.end(4);
    expect(lengthMm(drawing.all[0] as Measure)).toBe(5);
    expect(drawing.all[0]?.points).toEqual([
      [0, 0, 0],
      [0, 3, 4],
    ]);
  });

  it("draws an ellipse from corner to corner", () => {
    const drawing = new Drawing(vi.fn());
    drawing.begin("ellipse", sheet, [1, 1]);
    drawing.move([5, 9]);
    drawing.end(4);
    expect(drawing.all[0]?.points).toEqual([
      [0, 1, -1],
      [0, 5, -9],
    ]);
  });

  it("numbers the marks and removes the last one first", () => {
    const drawing = new Drawing(vi.fn());
    for (const at of [1, 2]) {
      drawing.begin("point", sheet, [at, 0]);
      drawing.end(4);
    }
    expect(drawing.all.map((mark) => drawing.numberOf(mark))).toEqual([1, 2]);
    drawing.remove(sheet);
    expect(drawing.all.map((mark) => (mark.points[0] as Vec3)[1])).toEqual([1]);
    expect(drawing.remove({ ...sheet, slice: 2 })).toBe(false);
  });

  it("shows the measures of other images only while linked", () => {
    const drawing = new Drawing(vi.fn());
    drawing.begin("point", sheet, [1, 0]);
    drawing.end(4);
    expect(drawing.shownOn({ ...sheet, role: "b" })).toHaveLength(1);
    expect(drawing.shownOn({ ...sheet, role: "b", shared: false })).toHaveLength(0);
  });

  it("takes hold of any measure, but while drawing only of the chosen one's handles", () => {
    const drawing = new Drawing(vi.fn());
    drawing.begin("length", sheet, [-10, 0]);
    drawing.move([10, 0]);
    drawing.end(4);
    expect(drawing.take(sheet, [200, 203], [0, 0], 7, true)).toBe(false);
    drawing.begin("length", sheet, [-10, 20]);
    drawing.move([10, 20]);
    drawing.end(4);
    expect(drawing.take(sheet, [240, 280], [10, 20], 7, true)).toBe(true);
    expect(drawing.take(sheet, [200, 203], [0, 0], 7, false)).toBe(true);
    drawing.move([0, 5]);
    expect(drawing.all[0]?.points[0]).toEqual([0, -10, -5]);
  });

  it("tells whoever asked for a measure, and keeps one for each", () => {
    const told = vi.fn<(tag: string, found: Measure | null) => void>();
    const drawing = new Drawing(told);
    drawing.wanted = { tag: "q1", kind: "length", role: "b" };
    for (const end of [4, 8]) {
      drawing.begin("length", sheet, [0, 0]);
      drawing.move([end, 0]);
      drawing.end(4);
    }
    expect(drawing.all).toHaveLength(1);
    expect(told.mock.calls.map((call) => [call[0], call[1]?.role])).toEqual([
      ["q1", "b"],
      ["q1", "b"],
    ]);
    drawing.remove(sheet);
    expect(told).toHaveBeenLastCalledWith("q1", null);
  });

  it("places two points with the keys on one slice", () => {
    const drawing = new Drawing(vi.fn());
    drawing.place("length", sheet, [0, 0, 0]);
    expect(drawing.all).toHaveLength(0);
    drawing.place("length", sheet, [0, 6, 8]);
    expect(lengthMm(drawing.all[0] as Measure)).toBe(10);
    expect(drawing.firstPoint).toBeNull();
  });

  it("takes up the places of a form without losing the chosen one", () => {
    const drawing = new Drawing(vi.fn());
    const tagged = [
      measure({
        tag: "q1",
        points: [
          [0, 0, 0],
          [0, 1, 1],
        ],
      }),
    ];
    expect(drawing.setTagged(tagged)).toBe(true);
    const { id } = drawing.all[0] as Measure;
    expect(drawing.setTagged(tagged)).toBe(false);
    const moved = [
      measure({
        tag: "q1",
        points: [
          [0, 0, 0],
          [0, 2, 2],
        ],
      }),
    ];
    expect(drawing.setTagged(moved)).toBe(true);
    expect(drawing.all[0]?.id).toBe(id);
  });
});

describe("numbers", () => {
  it("show three figures of a real value, none finer than its steps", () => {
    const cbv = { unit: "mL/100 g", slope: 8 / 4095, intercept: 0 };
    expect(formatLevel(3634, cbv)).toBe("7.10\u202fmL/100 g");
    expect(formatLevel(0, cbv)).toBe("0.000\u202fmL/100 g");
    expect(formatLevel(1200, { unit: "10⁻⁶ mm²/s", slope: 1, intercept: 0 })).toBe(
      "1200\u202f10⁻⁶ mm²/s",
    );
    expect(formatLevel(5, { unit: "", slope: -0.5, intercept: 0 })).toBe("\u22122.5");
    expect(formatLevel(884, null)).toBe("884");
    expect(formatStatistic(884.4, null)).toBe("884");
  });
});
