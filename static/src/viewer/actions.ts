/** What a reader can do with the images, and the key of each: one table for keys, help and rail. */
import type { Hanging } from "./layout";

export type ViewerAction =
  | "slice_up"
  | "slice_down"
  | "slice_up_5"
  | "slice_down_5"
  | "slice_first"
  | "slice_last"
  | "window"
  | "zoom"
  | "pan"
  | "length"
  | "ellipse"
  | "mark"
  | "place"
  | "erase"
  | "zoom_in"
  | "zoom_out"
  | "invert"
  | "reset"
  | "full"
  | "fullscreen"
  | "hanging_next"
  | "hanging_previous"
  | "planes"
  | "pane_next"
  | "pane_previous"
  | "link"
  | "colour"
  | "overlay"
  | "overlay_opacity"
  | "interpolation"
  | "cine"
  | "cine_slower"
  | "cine_faster";

export interface ActionRow<A extends string = ViewerAction> {
  readonly action: A;
  /** `KeyboardEvent.key` in lower case, with "shift+" before it; "" none. */
  readonly key: string;
  readonly does: string;
  /** Goes on while the key is held. */
  readonly repeats?: boolean;
  /** Tool of the study without which the action is not offered. */
  readonly tool?: string;
}

export const VIEWER_ACTIONS: readonly ActionRow[] = [
  { action: "slice_up", key: "arrowup", does: "slice up", repeats: true },
  { action: "slice_down", key: "arrowdown", does: "slice down", repeats: true },
  { action: "slice_up_5", key: "pageup", does: "5 slices up", repeats: true },
  { action: "slice_down_5", key: "pagedown", does: "5 slices down", repeats: true },
  { action: "slice_first", key: "home", does: "first slice" },
  { action: "slice_last", key: "end", does: "last slice" },
  { action: "window", key: "w", does: "left drag: window", tool: "window" },
  { action: "zoom", key: "z", does: "left drag: zoom", tool: "zoom" },
  { action: "pan", key: "x", does: "left drag: move", tool: "pan" },
  { action: "length", key: "l", does: "measure a length", tool: "length" },
  { action: "ellipse", key: "e", does: "measure in an ellipse", tool: "ellipse" },
  { action: "mark", key: "m", does: "mark the spot", tool: "mark" },
  { action: "place", key: " ", does: "place points with arrows and Enter" },
  { action: "erase", key: "delete", does: "remove the chosen or last measure" },
  { action: "zoom_in", key: "+", does: "zoom in", repeats: true, tool: "zoom" },
  { action: "zoom_out", key: "-", does: "zoom out", repeats: true, tool: "zoom" },
  { action: "invert", key: "i", does: "invert", tool: "invert" },
  { action: "reset", key: "r", does: "window, zoom and place as at first" },
  { action: "full", key: "f", does: "one pane full", tool: "full" },
  { action: "fullscreen", key: "shift+f", does: "whole screen", tool: "full" },
  { action: "hanging_next", key: "g", does: "next arrangement of panes", tool: "hanging" },
  {
    action: "hanging_previous",
    key: "shift+g",
    does: "previous arrangement of panes",
    tool: "hanging",
  },
  { action: "planes", key: "a", does: "three planes and back", tool: "planes" },
  { action: "pane_next", key: "b", does: "next pane or image" },
  { action: "pane_previous", key: "shift+b", does: "previous pane or image" },
  { action: "link", key: "k", does: "link panes, on or off", tool: "link" },
  { action: "colour", key: "c", does: "colour or grey", tool: "colour" },
  { action: "overlay", key: "v", does: "regions over the image, on or off", tool: "overlay" },
  { action: "overlay_opacity", key: "shift+v", does: "opacity of the regions", tool: "overlay" },
  { action: "interpolation", key: "d", does: "smooth or single pixels" },
  { action: "cine", key: "y", does: "play, stop", tool: "cine" },
  { action: "cine_slower", key: ",", does: "play slower", tool: "cine" },
  { action: "cine_faster", key: ".", does: "play faster", tool: "cine" },
];

/** Which actions make sense for the images shown. */
export interface Offer {
  readonly tools: readonly string[];
  readonly hangings: readonly Hanging[];
  readonly slots: number;
  readonly coloured: boolean;
  readonly overlays: boolean;
  readonly interpolationFixed: boolean;
  readonly slices: boolean;
}

/** What an action needs beside its tool. */
const NEEDS: Readonly<Partial<Record<ViewerAction, (offer: Offer) => boolean>>> = {
  slice_up: hasSlices,
  slice_down: hasSlices,
  slice_up_5: hasSlices,
  slice_down_5: hasSlices,
  slice_first: hasSlices,
  slice_last: hasSlices,
  cine: hasSlices,
  cine_slower: hasSlices,
  cine_faster: hasSlices,
  hanging_next: ({ hangings }) => hangings.length > 1,
  hanging_previous: ({ hangings }) => hangings.length > 1,
  planes: ({ hangings }) => hangings.includes("planes") && hangings.length > 1,
  pane_next: hasPanes,
  pane_previous: hasPanes,
  link: hasPanes,
  colour: ({ coloured }) => coloured,
  overlay: ({ overlays }) => overlays,
  overlay_opacity: ({ overlays }) => overlays,
  interpolation: ({ interpolationFixed }) => !interpolationFixed,
};

function hasSlices({ slices }: Offer): boolean {
  return slices;
}

function hasPanes({ slots, hangings }: Offer): boolean {
  return slots > 1 || hangings.includes("planes");
}

export function isOffered(row: ActionRow<string>, offer: Offer): boolean {
  if (row.tool !== undefined && !offer.tools.includes(row.tool)) return false;
  return NEEDS[row.action as ViewerAction]?.(offer) ?? true;
}

export const MOUSE_HELP: readonly (readonly [gesture: string, does: string])[] = [
  ["Wheel", "slice"],
  ["Ctrl + wheel", "zoom"],
  ["Double click", "one pane full, and back"],
  ["Drag a measure", "move it; its squares change it"],
  ["One finger", "slice; hold it first: window"],
  ["Two fingers", "zoom and move"],
];
