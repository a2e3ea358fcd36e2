import {
  type Camera,
  depthOf,
  type Grid,
  type Plane,
  type Point,
  planeToScreen,
  type Size,
  sliceAt,
  toPatient,
  toPlane,
  type Vec3,
  voxelAt,
} from "./geometry";
import { realValue } from "./values";
import type { ValueScale } from "./layout";

export type MeasureKind = "point" | "length" | "ellipse";

/** A point, a length, or an ellipse inside the box between two corners, at a place of the patient. */
export interface Measure {
  readonly id: string;
  readonly kind: MeasureKind;
  /** The image it was drawn on. */
  readonly role: string;
  readonly plane: Plane;
  readonly points: readonly Vec3[];
  /** Name given by whoever asked for this measure. */
  readonly tag?: string;
}

export interface EllipseStatistics {
  readonly n: number;
  readonly mean: number;
  /** Population standard deviation of the values inside. */
  readonly sd: number;
  readonly area: number;
}

export type Measured =
  | { readonly length_mm: number }
  | { readonly level: number }
  | {
      readonly mean: number;
      readonly sd: number;
      readonly area_mm2: number;
      readonly n: number;
    };

/** The two ends or corners in the plane; a point has both in one place. */
export function ends({ plane, points }: Measure): readonly [Point, Point] {
  const from = toPlane(plane, points[0] as Vec3);
  return [from, points[1] ? toPlane(plane, points[1]) : from];
}

/** Whether a measure lies on a slice of a grid. */
export function liesOn(measure: Measure, grid: Grid, slice: number): boolean {
  const at = measure.points[0] as Vec3;
  return grid.plane === measure.plane && sliceAt(grid, at) === slice;
}

export function lengthMm(measure: Measure): number {
  const [from, to] = ends(measure);
  return Math.hypot(to[0] - from[0], to[1] - from[1]);
}

/** Values of the voxels whose centre lies inside the ellipse. */
export function valuesInside(measure: Measure, grid: Grid, pixels: Int16Array): number[] {
  const [, rows, columns] = grid.shape;
  const [, dy, dx] = grid.spacing;
  const [u, v] = toPlane(grid.plane, grid.origin);
  const [from, to] = ends(measure);
  const [cx, cy] = [(from[0] + to[0]) / 2 - u, (from[1] + to[1]) / 2 - v];
  const rx = Math.abs(to[0] - from[0]) / 2;
  const ry = Math.abs(to[1] - from[1]) / 2;
  const values: number[] = [];
  if (rx === 0 || ry === 0) return values;
  const first = Math.max(0, Math.ceil((cy - ry) / dy));
  const last = Math.min(rows - 1, Math.floor((cy + ry) / dy));
  for (let row = first; row <= last; row++) {
    for (let column = 0; column < columns; column++) {
      const inside = ((column * dx - cx) / rx) ** 2 + ((row * dy - cy) / ry) ** 2 <= 1;
      if (inside) values.push(pixels[row * columns + column] as number);
    }
  }
  return values;
}

/** Statistics in stored levels; null where no voxel centre lies inside. */
export function ellipseStatistics(
  measure: Measure,
  grid: Grid,
  pixels: Int16Array,
): EllipseStatistics | null {
  const values = valuesInside(measure, grid, pixels);
  const n = values.length;
  if (n === 0) return null;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n;
  const [from, to] = ends(measure);
  const area = (Math.PI * Math.abs(to[0] - from[0]) * Math.abs(to[1] - from[1])) / 4;
  return { n, mean, sd: Math.sqrt(variance), area };
}

/** What a measure says about an image, in its unit; null where the image has nothing there. */
export function measured(
  measure: Measure,
  grid: Grid,
  pixels: Int16Array,
  scale: ValueScale | null,
): Measured | null {
  if (measure.kind === "length") return { length_mm: lengthMm(measure) };
  if (measure.kind === "ellipse") {
    const found = ellipseStatistics(measure, grid, pixels);
    if (!found) return null;
    return {
      mean: realValue(found.mean, scale),
      sd: found.sd * Math.abs(scale?.slope ?? 1),
      area_mm2: found.area,
      n: found.n,
    };
  }
  const voxel = voxelAt(grid, ends(measure)[0]);
  if (!voxel) return null;
  return { level: realValue(pixels[voxel[0] * grid.shape[2] + voxel[1]] as number, scale) };
}

// Taking hold of a measure.

export type Grip = number | "body";

/** Where the handles are, in the plane: both ends, or the four ends of the axes. */
export function handles(measure: Measure): Point[] {
  const [from, to] = ends(measure);
  if (measure.kind === "point") return [];
  if (measure.kind === "length") return [from, to];
  const middle: Point = [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2];
  return [
    [from[0], middle[1]],
    [to[0], middle[1]],
    [middle[0], from[1]],
    [middle[0], to[1]],
  ];
}

function toSegment(at: Point, from: Point, to: Point): number {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const length = dx * dx + dy * dy;
  const along = length === 0 ? 0 : ((at[0] - from[0]) * dx + (at[1] - from[1]) * dy) / length;
  const t = Math.min(1, Math.max(0, along));
  return Math.hypot(at[0] - from[0] - t * dx, at[1] - from[1] - t * dy);
}

/** Distance in pixels to the line of an ellipse, along the ray from its middle. */
function toEllipse(at: Point, from: Point, to: Point): number {
  const [dx, dy] = [at[0] - (from[0] + to[0]) / 2, at[1] - (from[1] + to[1]) / 2];
  const [rx, ry] = [Math.abs(to[0] - from[0]) / 2, Math.abs(to[1] - from[1]) / 2];
  const away = Math.hypot(dx / (rx || 1), dy / (ry || 1));
  return away === 0 ? Math.min(rx, ry) : Math.abs(1 - 1 / away) * Math.hypot(dx, dy);
}

/** The part of a measure under a point of the screen, or null. */
export function gripAt(
  measure: Measure,
  camera: Camera,
  pane: Size,
  at: Point,
  slack: number,
): Grip | null {
  const screen = (point: Point) => planeToScreen(camera, pane, point);
  const near = handles(measure).findIndex((handle) => {
    const [x, y] = screen(handle);
    return Math.hypot(at[0] - x, at[1] - y) <= slack;
  });
  if (near >= 0) return near;
  const [from, to] = ends(measure).map(screen) as [Point, Point];
  const distance = measure.kind === "ellipse" ? toEllipse(at, from, to) : toSegment(at, from, to);
  return distance <= slack ? "body" : null;
}

/** A measure with one handle elsewhere, or moved as a whole, within its slice. */
export function reshaped(measure: Measure, grip: Grip, by: Point): Measure {
  const [from, to] = ends(measure);
  const depth = depthOf(measure.plane, measure.points[0] as Vec3);
  const moved = (point: Point, move: readonly [boolean, boolean]): Point => [
    point[0] + (move[0] ? by[0] : 0),
    point[1] + (move[1] ? by[1] : 0),
  ];
  const [first, second] = movement(measure.kind, grip);
  const points = [moved(from, first), moved(to, second)]
    .slice(0, measure.points.length)
    .map((point) => toPatient(measure.plane, point, depth));
  return { ...measure, points };
}

type Move = readonly [u: boolean, v: boolean];
const BOTH: Move = [true, true];
const NONE: Move = [false, false];

/** Which coordinates of the two ends follow the grip. */
function movement(kind: MeasureKind, grip: Grip): readonly [Move, Move] {
  if (grip === "body") return [BOTH, BOTH];
  if (kind !== "ellipse") return grip === 0 ? [BOTH, NONE] : [NONE, BOTH];
  const axis: Move = grip < 2 ? [true, false] : [false, true];
  return grip % 2 === 0 ? [axis, NONE] : [NONE, axis];
}
