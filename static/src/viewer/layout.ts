/** What is shown and how; the names are those on the wire. */
import type { Window } from "./backend";
import type { MapName } from "./colour";
import type { Grid, Plane, Vec3 } from "./geometry";
import type { Chunk } from "./plan";

export type Hanging = "1x1" | "1x2" | "2x2" | "2x3" | "planes";
export type Interpolation = "linear" | "nearest";

/** Real value = slope * level + intercept. */
export interface ValueScale {
  readonly unit: string;
  readonly slope: number;
  readonly intercept: number;
}

export interface Preset extends Window {
  readonly label: string;
}

export interface SlotLayout {
  readonly role: string;
  readonly label: string;
  /** Counts images of different cases beside each other, from 0. */
  readonly place?: number;
  readonly plane: Plane;
  readonly shape: readonly [number, number, number];
  readonly spacing_mm: readonly [number, number, number];
  readonly origin_mm: Vec3;
  readonly chunks: readonly Chunk[];
  readonly window: Window;
  readonly presets: readonly Preset[];
  readonly value: ValueScale | null;
  readonly colour: { readonly map: MapName; readonly range: readonly [number, number] } | null;
  /** A derived slot: this role less another on the same grid. Never part of a reading. */
  readonly minus?: { readonly of: string; readonly role: string };
  /** High values are dark at the source: shown inverted at first. */
  readonly inverted?: boolean;
  /** False: where the patient's sides are is not known, so no letters stand at the edges. */
  readonly sided?: boolean;
  /** No image but the reason why there is none; nothing is fetched. Never part of a reading. */
  readonly message?: { readonly title: string; readonly text: string };
}

export interface OverlayLayout {
  readonly role: string;
  readonly label: string;
  readonly on: readonly string[];
  /** Of the filled regions at first, 0 to 1. */
  readonly opacity?: number;
  readonly labels: readonly {
    readonly value: number;
    readonly label: string;
    readonly colour: string;
  }[];
}

export type Button = "left" | "middle" | "right";
export type MouseDrag = "window" | "zoom" | "pan" | "slice";
export type MouseMap = Readonly<Record<Button, MouseDrag>>;

export const DRAG_NAMES: Readonly<Record<MouseDrag, string>> = {
  window: "window",
  zoom: "zoom",
  pan: "move",
  slice: "slice",
};

export const DEFAULT_MOUSE: MouseMap = { left: "window", middle: "pan", right: "zoom" };

export interface Layout {
  readonly hanging: { readonly initial: Hanging; readonly allowed: readonly Hanging[] };
  readonly slots: readonly SlotLayout[];
  readonly overlays: readonly OverlayLayout[];
  readonly interpolation: Interpolation;
  readonly interpolation_fixed: boolean;
  readonly integer_scale: boolean;
  readonly tools: readonly string[];
  readonly keys: Readonly<Record<string, string>>;
  readonly mouse: Partial<MouseMap>;
}

export function gridOf(slot: SlotLayout): Grid {
  return {
    plane: slot.plane,
    shape: slot.shape,
    spacing: slot.spacing_mm,
    origin: slot.origin_mm,
  };
}

/** One int16 block to fetch: an image or a label map. */
export interface Series {
  readonly role: string;
  readonly grid: Grid;
  readonly chunks: readonly Chunk[];
}

/** Everything to fetch for a case, images before label maps. */
export function seriesOf(layout: Layout): Series[] {
  const fetched = layout.slots.filter((slot) => !slot.minus && !slot.message);
  const images = fetched.map((slot) => ({
    role: slot.role,
    grid: gridOf(slot),
    chunks: slot.chunks,
  }));
  const labels = layout.overlays.flatMap((overlay) => {
    const under = images.find(({ role }) => role === overlay.on[0]);
    return under ? [{ ...under, role: overlay.role }] : [];
  });
  return [...images, ...labels];
}
