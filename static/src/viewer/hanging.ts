/** Which image stands in which pane. */
import type { Plane } from "./geometry";
import type { Hanging, SlotLayout } from "./layout";

export interface Cell {
  readonly slot: SlotLayout;
  readonly plane: Plane;
}

const GRIDS: Readonly<Record<Hanging, readonly [rows: number, columns: number]>> = {
  "1x1": [1, 1],
  "1x2": [1, 2],
  "2x2": [2, 2],
  "2x3": [2, 3],
  planes: [2, 2],
};

const PLANES: readonly Plane[] = ["axial", "coronal", "sagittal"];

export function gridSize(hanging: Hanging): readonly [rows: number, columns: number] {
  return GRIDS[hanging];
}

export function paneCount(hanging: Hanging): number {
  const [rows, columns] = GRIDS[hanging];
  return rows * columns;
}

/** Contents of the panes; with more images than panes, those around the active one. */
export function cellsOf(
  hanging: Hanging,
  slots: readonly SlotLayout[],
  active: number,
): (Cell | null)[] {
  if (hanging === "planes") {
    const slot = slots[active] as SlotLayout;
    return PLANES.map((plane) => ({ slot, plane }));
  }
  const count = paneCount(hanging);
  const first = Math.floor(active / count) * count;
  return Array.from({ length: count }, (_, at) => {
    const slot = slots[first + at];
    return slot ? { slot, plane: slot.plane } : null;
  });
}

/** The next of the allowed hangings. */
export function nextHanging(allowed: readonly Hanging[], now: Hanging, step: 1 | -1): Hanging {
  const at = allowed.indexOf(now);
  return allowed[(at + step + allowed.length) % allowed.length] ?? now;
}

/** Panes ever needed, so that none is made while reading. */
export function panesNeeded(allowed: readonly Hanging[], slots: number): number {
  const counts = allowed.map((hanging) =>
    hanging === "planes" ? PLANES.length : Math.min(slots, paneCount(hanging)),
  );
  return Math.max(1, ...counts);
}

export const HANGING_NAMES: Readonly<Record<Hanging, string>> = {
  "1x1": "one pane",
  "1x2": "two panes",
  "2x2": "four panes",
  "2x3": "six panes",
  planes: "three planes",
};
