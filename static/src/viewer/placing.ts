/** A crosshair moved with the arrow keys, for points placed without a mouse. */
import {
  type Camera,
  clamp,
  depthOf,
  type Grid,
  type Point,
  planeToScreen,
  type Size,
  toPatient,
  toPlane,
  type Vec3,
} from "./geometry";

const LARGE_STEP = 10;
const STEPS: Readonly<Record<string, Point>> = {
  arrowleft: [-1, 0],
  arrowright: [1, 0],
  arrowup: [0, -1],
  arrowdown: [0, 1],
};

export class Placing {
  private place: Vec3 | null = null;

  get active(): boolean {
    return this.place !== null;
  }

  start(at: Vec3): void {
    this.place = at;
  }

  stop(): void {
    this.place = null;
  }

  /** The place on a slice of a grid. */
  on(grid: Grid, depth: number): Vec3 {
    return toPatient(grid.plane, toPlane(grid.plane, this.place ?? grid.origin), depth);
  }

  /** One voxel, or ten, in the direction of an arrow; false for any other key. */
  move(key: string, grid: Grid, large: boolean): boolean {
    const step = STEPS[key];
    if (!step || !this.place) return false;
    const size = large ? LARGE_STEP : 1;
    const [u, v] = toPlane(grid.plane, this.place);
    const [u0, v0] = toPlane(grid.plane, grid.origin);
    const [, rows, columns] = grid.shape;
    const [, dy, dx] = grid.spacing;
    this.place = toPatient(
      grid.plane,
      [
        clamp(u + step[0] * dx * size, u0, u0 + (columns - 1) * dx),
        clamp(v + step[1] * dy * size, v0, v0 + (rows - 1) * dy),
      ],
      depthOf(grid.plane, this.place),
    );
    return true;
  }

  onScreen({ grid, camera, size }: { grid: Grid; camera: Camera; size: Size }, at: Vec3): Point {
    return planeToScreen(camera, size, toPlane(grid.plane, at));
  }
}
