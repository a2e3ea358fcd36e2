/** Patient space: LPS in mm, x to Left, y to Posterior, z to Superior. */
export type Vec3 = readonly [x: number, y: number, z: number];
/** Point of an image plane in mm: u grows with the columns, v with the rows of the screen. */
export type Point = readonly [u: number, v: number];
export type Plane = "axial" | "coronal" | "sagittal";

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A block of voxels whose slices lie in one plane; order slice, row, column as on the wire. */
export interface Grid {
  readonly plane: Plane;
  readonly shape: readonly [slices: number, rows: number, columns: number];
  readonly spacing: readonly [slices: number, rows: number, columns: number];
  /** Centre of the first voxel. */
  readonly origin: Vec3;
}

export interface Axis {
  readonly axis: 0 | 1 | 2;
  readonly sign: 1 | -1;
}

export interface Axes {
  readonly slice: Axis;
  readonly row: Axis;
  readonly column: Axis;
}

const X: Axis = { axis: 0, sign: 1 };
const Y: Axis = { axis: 1, sign: 1 };
const Z: Axis = { axis: 2, sign: 1 };
const DOWN: Axis = { axis: 2, sign: -1 };

/** Radiological convention: the top left voxel of the screen is the first of a slice. */
export const AXES: Readonly<Record<Plane, Axes>> = {
  axial: { slice: Z, row: Y, column: X },
  coronal: { slice: Y, row: DOWN, column: X },
  sagittal: { slice: X, row: DOWN, column: Y },
};

/** Letters at the edges of the screen. */
export const LETTERS: Readonly<
  Record<Plane, Readonly<Record<"top" | "bottom" | "left" | "right", string>>>
> = {
  axial: { top: "A", bottom: "P", left: "R", right: "L" },
  coronal: { top: "S", bottom: "I", left: "R", right: "L" },
  sagittal: { top: "S", bottom: "I", left: "A", right: "P" },
};

export function toPlane(plane: Plane, at: Vec3): Point {
  const { row, column } = AXES[plane];
  return [column.sign * at[column.axis], row.sign * at[row.axis]];
}

/** Position along the axis across the slices. */
export function depthOf(plane: Plane, at: Vec3): number {
  const { slice } = AXES[plane];
  return slice.sign * at[slice.axis];
}

export function toPatient(plane: Plane, at: Point, depth: number): Vec3 {
  const { slice, row, column } = AXES[plane];
  const found: [number, number, number] = [0, 0, 0];
  // Adding zero turns a negative zero into zero.
  found[slice.axis] = slice.sign * depth + 0;
  found[row.axis] = row.sign * at[1] + 0;
  found[column.axis] = column.sign * at[0] + 0;
  return found;
}

export function voxelPosition(grid: Grid, slice: number, row: number, column: number): Vec3 {
  const first = toPlane(grid.plane, grid.origin);
  return toPatient(
    grid.plane,
    [first[0] + column * grid.spacing[2], first[1] + row * grid.spacing[1]],
    sliceDepth(grid, slice),
  );
}

export function sliceDepth(grid: Grid, slice: number): number {
  return depthOf(grid.plane, grid.origin) + slice * grid.spacing[0];
}

/** Slice nearest to a position, within the grid. */
export function sliceAt(grid: Grid, at: Vec3): number {
  const depth = depthOf(grid.plane, at) - depthOf(grid.plane, grid.origin);
  return clamp(Math.round(depth / grid.spacing[0]), 0, grid.shape[0] - 1);
}

/** How far a position lies outside the slices of a grid, in mm; 0 within. */
export function distanceOutside(grid: Grid, at: Vec3): number {
  const depth = depthOf(grid.plane, at);
  const half = grid.spacing[0] / 2;
  const first = sliceDepth(grid, 0) - half;
  const last = sliceDepth(grid, grid.shape[0] - 1) + half;
  return Math.max(0, first - depth, depth - last);
}

/** Row and column of the voxel under a point of the plane, or null outside the image. */
export function voxelAt(grid: Grid, at: Point): readonly [row: number, column: number] | null {
  const first = toPlane(grid.plane, grid.origin);
  const column = Math.round((at[0] - first[0]) / grid.spacing[2]);
  const row = Math.round((at[1] - first[1]) / grid.spacing[1]);
  const inside = row >= 0 && row < grid.shape[1] && column >= 0 && column < grid.shape[2];
  return inside ? [row, column] : null;
}

export interface Box {
  readonly min: Vec3;
  readonly max: Vec3;
}

/** Outer borders of the voxels of all grids together. */
export function boxOf(grids: readonly Grid[]): Box {
  const min: [number, number, number] = [Infinity, Infinity, Infinity];
  const max: [number, number, number] = [-Infinity, -Infinity, -Infinity];
  for (const grid of grids) {
    const { slice, row, column } = AXES[grid.plane];
    const far = voxelPosition(grid, grid.shape[0] - 1, grid.shape[1] - 1, grid.shape[2] - 1);
    [slice, row, column].forEach(({ axis }, order) => {
      const half = (grid.spacing[order] as number) / 2;
      min[axis] = Math.min(min[axis], grid.origin[axis] - half, far[axis] - half);
      max[axis] = Math.max(max[axis], grid.origin[axis] + half, far[axis] + half);
    });
  }
  return { min, max };
}

export function middleOf({ min, max }: Box): Vec3 {
  return [(min[0] + max[0]) / 2, (min[1] + max[1]) / 2, (min[2] + max[2]) / 2];
}

/** Which part of a plane a pane shows; scale in CSS pixels per mm. */
export interface Camera {
  readonly centre: Point;
  readonly scale: number;
}

export const SCALE_MIN = 0.2;
export const SCALE_MAX = 60;

/** Largest scale at which the whole box fits the pane. */
export function fitScale(box: Box, plane: Plane, pane: Size): number {
  const { row, column } = AXES[plane];
  if (pane.width <= 0 || pane.height <= 0) return 1;
  const width = box.max[column.axis] - box.min[column.axis];
  const height = box.max[row.axis] - box.min[row.axis];
  return Math.min(pane.width / width, pane.height / height);
}

export function screenToPlane(camera: Camera, pane: Size, at: Point): Point {
  return [
    camera.centre[0] + (at[0] - pane.width / 2) / camera.scale,
    camera.centre[1] + (at[1] - pane.height / 2) / camera.scale,
  ];
}

export function planeToScreen(camera: Camera, pane: Size, at: Point): Point {
  return [
    pane.width / 2 + (at[0] - camera.centre[0]) * camera.scale,
    pane.height / 2 + (at[1] - camera.centre[1]) * camera.scale,
  ];
}

/** Zoom by a factor so that the point of the image under `at` stays under it. */
export function zoomAt(camera: Camera, pane: Size, at: Point, factor: number): Camera {
  const scale = clamp(camera.scale * factor, SCALE_MIN, SCALE_MAX);
  const fixed = screenToPlane(camera, pane, at);
  const shift = camera.scale / scale;
  return {
    scale,
    centre: [
      fixed[0] + (camera.centre[0] - fixed[0]) * shift,
      fixed[1] + (camera.centre[1] - fixed[1]) * shift,
    ],
  };
}

/** Move the image by so many CSS pixels; the centre of view stays within the box. */
export function panBy(camera: Camera, box: Box, plane: Plane, dx: number, dy: number): Camera {
  const low = toPlane(plane, box.min);
  const high = toPlane(plane, box.max);
  const within = (value: number, a: number, b: number) =>
    clamp(value, Math.min(a, b), Math.max(a, b));
  return {
    scale: camera.scale,
    centre: [
      within(camera.centre[0] - dx / camera.scale, low[0], high[0]),
      within(camera.centre[1] - dy / camera.scale, low[1], high[1]),
    ],
  };
}

/** Camera at which every voxel takes the same whole number of device pixels. */
export function wholePixels(
  camera: Camera,
  grid: Grid,
  pane: Size,
  ratio: number,
  round: "nearest" | "down",
): Camera {
  const step = 1 / (grid.spacing[2] * ratio);
  const wanted = camera.scale / step + 1e-6;
  const scale = Math.max(1, round === "down" ? Math.floor(wanted) : Math.round(wanted)) * step;
  const first = toPlane(grid.plane, grid.origin);
  const corner: Point = [first[0] - grid.spacing[2] / 2, first[1] - grid.spacing[1] / 2];
  const [x, y] = planeToScreen({ centre: camera.centre, scale }, pane, corner);
  const moved = (at: number) => (Math.round(at * ratio) / ratio - at) / scale;
  return { scale, centre: [camera.centre[0] - moved(x), camera.centre[1] - moved(y)] };
}

const SHORTEST_BAR_MM = 0.5;
const BAR_LENGTHS_MM = [SHORTEST_BAR_MM, 1, 2, 5, 10, 20, 50, 100, 200];

/** Longest round length that fits into `room` CSS pixels. */
export function scaleBar(camera: Camera, room: number) {
  const fitting = BAR_LENGTHS_MM.filter((mm) => mm * camera.scale <= room);
  const mm = fitting.at(-1) ?? SHORTEST_BAR_MM;
  const label = mm >= 10 ? `${mm / 10} cm` : `${mm} mm`;
  return { width: mm * camera.scale, label };
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
