import { describe, expect, it } from "vitest";
import {
  boxOf,
  distanceOutside,
  fitScale,
  type Grid,
  LETTERS,
  panBy,
  type Plane,
  planeToScreen,
  scaleBar,
  screenToPlane,
  sliceAt,
  toPatient,
  toPlane,
  voxelAt,
  voxelPosition,
  wholePixels,
  zoomAt,
} from "../src/viewer/geometry";
import { gridIn, section, slabCorners } from "../src/viewer/reformat";

const PANE = { width: 400, height: 400 };
const AXIAL: Grid = {
  plane: "axial",
  shape: [5, 4, 3],
  spacing: [3, 1, 0.5],
  origin: [-10, -20, -30],
};
const PLANES: readonly Plane[] = ["axial", "coronal", "sagittal"];

describe("planes of the patient", () => {
  it("put each voxel where the convention says", () => {
    expect(voxelPosition(AXIAL, 2, 3, 1)).toEqual([-9.5, -17, -24]);
    const coronal: Grid = { ...AXIAL, plane: "coronal" };
    // Slices to posterior, rows to inferior, columns to left.
    expect(voxelPosition(coronal, 2, 3, 1)).toEqual([-9.5, -14, -33]);
    const sagittal: Grid = { ...AXIAL, plane: "sagittal" };
    // Slices to left, rows to inferior, columns to posterior.
    expect(voxelPosition(sagittal, 2, 3, 1)).toEqual([-4, -19.5, -33]);
  });

  it("turn a position into a plane and back", () => {
    for (const plane of PLANES) {
      const at = [3, -7, 11] as const;
      const depth = { axial: 11, coronal: -7, sagittal: 3 }[plane];
      expect(toPatient(plane, toPlane(plane, at), depth)).toEqual(at);
    }
  });

  it("have the letters that radiologists expect", () => {
    expect(LETTERS.axial).toEqual({ top: "A", bottom: "P", left: "R", right: "L" });
    expect(LETTERS.coronal).toEqual({ top: "S", bottom: "I", left: "R", right: "L" });
    expect(LETTERS.sagittal).toEqual({ top: "S", bottom: "I", left: "A", right: "P" });
  });

  it("agree with the letters: a step to the right of the screen goes where the right one says", () => {
    const towards: Record<string, readonly number[]> = {
      L: [1, 0, 0],
      P: [0, 1, 0],
      I: [0, 0, -1],
      R: [-1, 0, 0],
      A: [0, -1, 0],
      S: [0, 0, 1],
    };
    for (const plane of PLANES) {
      const right = toPatient(plane, [1, 0], 0).map((value) => value + 0);
      const down = toPatient(plane, [0, 1], 0).map((value) => value + 0);
      expect(right).toEqual(towards[LETTERS[plane].right]);
      expect(down).toEqual(towards[LETTERS[plane].bottom]);
    }
  });

  it("find the nearest slice and how far a position lies outside", () => {
    expect(sliceAt(AXIAL, [0, 0, -24.9])).toBe(2);
    expect(sliceAt(AXIAL, [0, 0, 100])).toBe(4);
    expect(distanceOutside(AXIAL, [0, 0, -16.6])).toBe(0);
    expect(distanceOutside(AXIAL, [0, 0, -6.5])).toBe(10);
  });

  it("find the voxel under a point, centres at whole indices", () => {
    expect(voxelAt(AXIAL, [-9.5, -17.6])).toEqual([2, 1]);
    expect(voxelAt(AXIAL, [-10.3, -20])).toBeNull();
  });
});

describe("another plane of the same block", () => {
  const block = Int16Array.from({ length: 60 }, (_, at) => at);

  /** Level at a position, by looking every voxel up. */
  function levels(pixels: (slice: number) => Int16Array, grid: Grid): Map<string, number> {
    const found = new Map<string, number>();
    for (let k = 0; k < grid.shape[0]; k++) {
      for (let r = 0; r < grid.shape[1]; r++) {
        for (let c = 0; c < grid.shape[2]; c++) {
          const at = voxelPosition(grid, k, r, c).join(" ");
          found.set(at, pixels(k)[r * grid.shape[2] + c] as number);
        }
      }
    }
    return found;
  }

  it.each(PLANES.flatMap((from) => PLANES.map((to) => [from, to] as const)))(
    "holds every level at the same place: %s to %s",
    (from, to) => {
      const grid: Grid = { ...AXIAL, plane: from };
      const cut = gridIn(grid, to);
      const before = levels((k) => section(block, grid, from, k), grid);
      const after = levels((k) => section(block, grid, to, k), cut);
      expect(after.size).toBe(60);
      expect([...after].sort()).toEqual([...before].sort());
    },
  );

  it("shares the memory in the plane it is stored in", () => {
    expect(section(block, AXIAL, "axial", 1).buffer).toBe(block.buffer);
  });

  it("knows the corners of a run of slices", () => {
    expect(slabCorners(AXIAL, 1, 3)).toEqual([
      [-10.25, -20.5, -28.5],
      [-8.75, -16.5, -22.5],
    ]);
  });
});

describe("camera", () => {
  const box = boxOf([AXIAL]);

  it("sees the outer borders of the voxels", () => {
    expect(box).toEqual({ min: [-10.25, -20.5, -31.5], max: [-8.75, -16.5, -16.5] });
  });

  it("joins grids of several images", () => {
    const coronal: Grid = { ...AXIAL, plane: "coronal", origin: [0, 0, 0] };
    expect(boxOf([AXIAL, coronal]).max).toEqual([1.25, 13.5, 0.5]);
  });

  it("fits the box into the pane, the same number of pixels per mm in both directions", () => {
    expect(fitScale(box, "axial", PANE)).toBe(100);
    expect(fitScale(box, "coronal", PANE)).toBeCloseTo(400 / 15, 12);
  });

  it("turns screen into plane and back", () => {
    const camera = { centre: [12, 30] as const, scale: 3 };
    const plane = screenToPlane(camera, PANE, [70, 310]);
    expect(planeToScreen(camera, PANE, plane)).toEqual([70, 310]);
  });

  it("keeps the point under the cursor when zooming", () => {
    const camera = { centre: [0, 0] as const, scale: 2 };
    const before = screenToPlane(camera, PANE, [90, 250]);
    const zoomed = zoomAt(camera, PANE, [90, 250], 2.5);
    const after = screenToPlane(zoomed, PANE, [90, 250]);
    expect(zoomed.scale).toBe(5);
    expect(after[0]).toBeCloseTo(before[0], 10);
    expect(after[1]).toBeCloseTo(before[1], 10);
  });

  it("moves the image with the pointer and keeps it in reach", () => {
    const camera = { centre: [-9, -18] as const, scale: 2 };
    expect(panBy(camera, box, "axial", 1, -1).centre).toEqual([-9.5, -17.5]);
    expect(panBy(camera, box, "axial", 10_000, 0).centre[0]).toBe(-10.25);
  });

  it("draws the longest round scale bar that fits", () => {
    // 4 px per mm: 50 mm take 200 px, 100 mm would take 400.
    const camera = { centre: [0, 0] as const, scale: 4 };
    expect(scaleBar(camera, 250)).toEqual({ width: 200, label: "5 cm" });
    expect(scaleBar(camera, 30)).toEqual({ width: 20, label: "5 mm" });
  });
});

describe("whole pixels", () => {
  const flat: Grid = {
    plane: "axial",
    shape: [1, 64, 64],
    spacing: [1, 0.7, 0.7],
    origin: [0, 0, 0],
  };

  it.each([
    [1, "down", 5],
    [2, "down", 11],
    [1.5, "nearest", 9],
  ] as const)("at a device ratio of %d", (ratio, round, multiple) => {
    // 5.9 CSS pixels for a voxel of 0.7 mm.
    const camera = { centre: [22, 22] as const, scale: 5.9 / 0.7 };
    const whole = wholePixels(camera, flat, { width: 401, height: 301 }, ratio, round);
    expect(whole.scale * 0.7 * ratio).toBeCloseTo(multiple, 9);
    const [x, y] = planeToScreen(whole, { width: 401, height: 301 }, [-0.35, -0.35]);
    expect(x * ratio).toBeCloseTo(Math.round(x * ratio), 6);
    expect(y * ratio).toBeCloseTo(Math.round(y * ratio), 6);
  });

  it("never becomes smaller than one pixel for one voxel", () => {
    const camera = { centre: [22, 22] as const, scale: 0.1 };
    expect(wholePixels(camera, flat, PANE, 1, "down").scale * 0.7).toBeCloseTo(1, 9);
  });
});
