import { describe, expect, it } from "vitest";
import { windowed } from "../src/viewer/canvas";
import {
  fitCamera,
  type Geometry,
  panBy,
  planeToScreen,
  scaleBar,
  screenToPlane,
  voxelAt,
  zoomAt,
} from "../src/viewer/geometry";
import { ellipseStatistics, lengthMm, type Measure } from "../src/viewer/measure";

const GEOMETRY: Geometry = { shape: [10, 100, 80], spacing: [3, 1, 0.5] };
const PANE = { width: 400, height: 400 };

describe("camera", () => {
  it("fits the whole image, with true proportions", () => {
    const camera = fitCamera(GEOMETRY, PANE);
    expect(camera.centre).toEqual([19.75, 49.5]);
    // 100 rows of 1 mm fill 400 px, so a column of 0.5 mm takes 2 px.
    expect(camera.zoom).toBe(2);
    const [left, top] = planeToScreen(camera, GEOMETRY, PANE, [-0.25, -0.5]);
    expect([left, top]).toEqual([120, 0]);
  });

  it("turns screen into plane and back", () => {
    const camera = { centre: [12, 30] as const, zoom: 3 };
    const plane = screenToPlane(camera, GEOMETRY, PANE, [70, 310]);
    expect(planeToScreen(camera, GEOMETRY, PANE, plane)).toEqual([70, 310]);
  });

  it("keeps the point under the cursor when zooming", () => {
    const camera = fitCamera(GEOMETRY, PANE);
    const before = screenToPlane(camera, GEOMETRY, PANE, [90, 250]);
    const zoomed = zoomAt(camera, GEOMETRY, PANE, [90, 250], 2.5);
    const after = screenToPlane(zoomed, GEOMETRY, PANE, [90, 250]);
    expect(zoomed.zoom).toBe(5);
    expect(after[0]).toBeCloseTo(before[0], 10);
    expect(after[1]).toBeCloseTo(before[1], 10);
  });

  it("moves the image with the pointer and keeps it in reach", () => {
    const camera = { centre: [20, 50] as const, zoom: 2 };
    expect(panBy(camera, GEOMETRY, 8, -4).centre).toEqual([18, 51]);
    expect(panBy(camera, GEOMETRY, 10_000, 0).centre[0]).toBe(0);
  });

  it("finds the voxel under a point, centres at whole indices", () => {
    expect(voxelAt(GEOMETRY, [0.5, 2.4])).toEqual([2, 1]);
    expect(voxelAt(GEOMETRY, [-0.3, 0])).toBeNull();
  });

  it("draws the longest round scale bar that fits", () => {
    // 4 px per mm: 50 mm take 200 px, 100 mm would take 400.
    const camera = { centre: [0, 0] as const, zoom: 2 };
    expect(scaleBar(camera, GEOMETRY, 250)).toEqual({ width: 200, label: "5 cm" });
    expect(scaleBar(camera, GEOMETRY, 30)).toEqual({ width: 20, label: "5 mm" });
  });
});

describe("measures", () => {
  it("measures a length in mm", () => {
    const measure: Measure = { kind: "length", slice: 0, from: [1, 2], to: [4, 6] };
    expect(lengthMm(measure)).toBe(5);
  });

  it("counts the voxels whose centre lies in the ellipse", () => {
    const geometry: Geometry = { shape: [1, 5, 5], spacing: [1, 1, 1] };
    const pixels = new Int16Array(25).fill(10);
    pixels[12] = 60;
    const measure: Measure = { kind: "ellipse", slice: 0, from: [1, 1], to: [3, 3] };
    // Radius 1 around the middle: the centre and its four neighbours.
    const found = ellipseStatistics(measure, geometry, pixels);
    expect(found?.n).toBe(5);
    expect(found?.mean).toBe(20);
    expect(found?.sd).toBe(20);
    expect(found?.area).toBeCloseTo(Math.PI, 12);
  });
});

describe("window", () => {
  it("maps the window linearly to 0 to 255 and inverts", () => {
    const out = new Uint8ClampedArray(20);
    windowed(new Int16Array([0, 500, 1000, 1500, 4095]), { width: 1000, level: 1000 }, false, out);
    expect([out[0], out[4], out[8], out[12], out[16]]).toEqual([0, 0, 128, 255, 255]);
    windowed(new Int16Array([0, 500, 1000, 1500, 4095]), { width: 1000, level: 1000 }, true, out);
    expect([out[0], out[4], out[12]]).toEqual([255, 255, 0]);
  });
});
