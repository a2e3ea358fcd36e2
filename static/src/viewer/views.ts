/** Where each pane looks; linked panes look at one position of the patient at one scale. */
import {
  AXES,
  type Box,
  type Camera,
  clamp,
  fitScale,
  type Grid,
  middleOf,
  type Plane,
  type Size,
  sliceAt,
  sliceDepth,
  toPatient,
  toPlane,
  type Vec3,
} from "./geometry";

export interface View {
  /** The position pointed at: it decides the slice and, in three planes, the crosshair. */
  readonly position: Vec3;
  readonly centre: Vec3;
  /** CSS pixels per mm; null shows everything as large as the pane allows. */
  readonly scale: number | null;
}

export class Views {
  private shared: View;
  private readonly own = new Map<string, View>();
  private isLinked = true;

  constructor(private readonly box: Box) {
    this.shared = { position: middleOf(box), centre: middleOf(box), scale: null };
  }

  get linked(): boolean {
    return this.isLinked;
  }

  /** Panes go on from where the active one is, and part from there. */
  setLinked(linked: boolean, active: string): void {
    if (linked) this.shared = this.of(active);
    this.own.clear();
    this.isLinked = linked;
  }

  of(pane: string): View {
    return this.own.get(pane) ?? this.shared;
  }

  change(pane: string, changes: Partial<View>): void {
    const changed = { ...this.of(pane), ...changes };
    if (this.isLinked) this.shared = changed;
    else this.own.set(pane, changed);
  }

  slice(pane: string, grid: Grid): number {
    return sliceAt(grid, this.of(pane).position);
  }

  /** Moves to a slice of a grid; the position in the plane stays. Tells whether it moved. */
  toSlice(pane: string, grid: Grid, slice: number): boolean {
    const wanted = clamp(slice, 0, grid.shape[0] - 1);
    const before = this.of(pane).position;
    if (wanted === sliceAt(grid, before)) return false;
    const position = [...before] as [number, number, number];
    const { axis, sign } = AXES[grid.plane].slice;
    position[axis] = sign * sliceDepth(grid, wanted);
    this.change(pane, { position });
    return true;
  }

  /** Camera of a pane; `fit` is the scale at which everything shown fits. */
  camera(pane: string, plane: Plane, fit: number): Camera {
    const { centre, scale } = this.of(pane);
    return { centre: toPlane(plane, centre), scale: scale ?? fit };
  }

  setCamera(pane: string, plane: Plane, camera: Camera): void {
    const { slice } = AXES[plane];
    const depth = slice.sign * this.of(pane).centre[slice.axis];
    this.change(pane, {
      centre: toPatient(plane, camera.centre, depth),
      scale: camera.scale,
    });
  }

  /** One scale for linked panes: the smallest at which each shows everything. */
  fit(plane: Plane, size: Size, shown: readonly { plane: Plane; size: Size }[]): number {
    if (!this.isLinked) return fitScale(this.box, plane, size);
    return Math.min(...shown.map((pane) => fitScale(this.box, pane.plane, pane.size)));
  }

  resetCamera(pane: string): void {
    this.change(pane, { centre: middleOf(this.box), scale: null });
  }
}
