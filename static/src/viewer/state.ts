/** What is kept of the panes: on the server with the answers, and more on this computer. */
import type { Window } from "./backend";
import type { Displays } from "./displays";
import type { Drawing } from "./drawing";
import type { Camera, Grid, Plane, Vec3 } from "./geometry";
import type { Hanging, Layout, SlotLayout } from "./layout";
import type { Measure, MeasureKind } from "./measure";
import type { Seen } from "./seen";
import type { View, Views } from "./views";

/** State of one image as the server keeps it. */
export interface PaneState {
  readonly slice: number;
  readonly window: Window;
  /** CSS pixels per column of the image. */
  readonly zoom: number;
  readonly invert: boolean;
  readonly slices_seen: readonly (readonly [number, number])[];
}

export interface FreeMeasure {
  readonly kind: MeasureKind;
  readonly role: string;
  readonly plane: Plane;
  readonly points_mm: readonly Vec3[];
}

/** What the viewer says of itself beside its panes. */
export interface ViewerLog {
  readonly hanging: Hanging;
  readonly timings: { readonly first_ms: number | null; readonly complete_ms: number | null };
  readonly context_lost: number;
}

type Log = ViewerLog & { readonly measures: readonly FreeMeasure[] };

/** One entry for each role, and the log. */
export type ViewerState = Readonly<
  Record<string, PaneState | Log[keyof Log] | undefined> & Partial<Log>
>;

/** What this computer keeps besides, so that a reload shows the same picture. */
export interface ViewerExtras {
  readonly view: View;
  readonly measures: readonly Measure[];
}

interface Parts {
  readonly layout: Layout;
  readonly views: Views;
  readonly displays: Displays;
  readonly drawing: Drawing;
  readonly seen: Seen;
  keyOf(slot: SlotLayout): string;
  gridOf(slot: SlotLayout): Grid;
}

/** Free measures travel with the answer; a case needs no more than these. */
const MOST_MEASURES = 50;

export function savedState(
  parts: Parts,
  cameraOf: (slot: SlotLayout) => Camera,
  log: ViewerLog,
): ViewerState {
  const panes = parts.layout.slots.map((slot): [string, PaneState] => {
    const grid = parts.gridOf(slot);
    const key = parts.keyOf(slot);
    const { window, invert } = parts.displays.of(slot);
    const zoom = cameraOf(slot).scale * grid.spacing[2];
    const slices_seen = parts.seen.ranges(key, grid.shape[0]);
    return [slot.role, { slice: parts.views.slice(key, grid), window, zoom, invert, slices_seen }];
  });
  const free = parts.drawing.all.filter(({ tag }) => tag === undefined).slice(0, MOST_MEASURES);
  const measures = free.map(({ kind, role, plane, points }) => ({
    kind,
    role,
    plane,
    points_mm: points,
  }));
  return { ...Object.fromEntries(panes), ...log, measures };
}

/** Puts panes as they were left; tells what remains for the viewer to arrange. */
export function openState(
  parts: Parts,
  state: ViewerState,
  extras: ViewerExtras | null,
): { readonly hanging: Hanging | null } {
  for (const slot of [...parts.layout.slots].reverse()) {
    const pane = state[slot.role] as PaneState | undefined;
    if (!pane) continue;
    const key = parts.keyOf(slot);
    const grid = parts.gridOf(slot);
    parts.views.toSlice(key, grid, pane.slice);
    parts.displays.change(slot, { window: pane.window, invert: pane.invert });
    parts.seen.restore(key, grid.shape[0], pane.slices_seen);
  }
  // On another computer the pane has another size: zoom means little without the centre.
  const first = parts.layout.slots[0];
  if (extras && first) parts.views.change(parts.keyOf(first), extras.view);
  parts.drawing.clear(extras?.measures ?? (state.measures ?? []).map(restored));
  return { hanging: state.hanging ?? null };
}

function restored({ kind, role, plane, points_mm }: FreeMeasure): Measure {
  return { id: crypto.randomUUID(), kind, role, plane, points: points_mm };
}
