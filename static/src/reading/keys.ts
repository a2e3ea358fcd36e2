/** Which key does what, without a page. */
import type { Tool } from "../viewer/gestures";

export type Mode = "start" | "reading" | "paused" | "dialog" | "finished";

export type Command =
  | { readonly do: "digit"; readonly digit: string }
  | { readonly do: "tool"; readonly tool: Tool }
  | { readonly do: "slice"; readonly by: number }
  | { readonly do: "end"; readonly end: "first" | "last" }
  | { readonly do: "question"; readonly by: 1 | -1 }
  | { readonly do: "option"; readonly by: 1 | -1 }
  | {
      readonly do:
        | "save"
        | "undo"
        | "pause"
        | "go-on"
        | "begin"
        | "help"
        | "keys"
        | "not-evaluable"
        | "invert"
        | "reset"
        | "full"
        | "escape"
        | "erase"
        | "swallow";
    };

export interface KeyPress {
  readonly key: string;
  readonly shift: boolean;
  /** Ctrl, Alt or Meta is down. */
  readonly modified: boolean;
  readonly repeat: boolean;
  /** What has the focus: a text field, a button or link, an option, or anything else. */
  readonly focus: "text" | "button" | "option" | "other";
}

const TOOLS: Readonly<Record<string, Tool>> = {
  w: "window",
  z: "zoom",
  x: "pan",
  l: "length",
  e: "ellipse",
};

const PLAIN: Readonly<Record<string, Command>> = {
  n: { do: "not-evaluable" },
  u: { do: "undo" },
  p: { do: "pause" },
  h: { do: "help" },
  "?": { do: "keys" },
  i: { do: "invert" },
  r: { do: "reset" },
  f: { do: "full" },
  escape: { do: "escape" },
  delete: { do: "erase" },
  backspace: { do: "erase" },
};

const SLICES: Readonly<Record<string, Command>> = {
  arrowup: { do: "slice", by: -1 },
  arrowdown: { do: "slice", by: 1 },
  pageup: { do: "slice", by: -5 },
  pagedown: { do: "slice", by: 5 },
  home: { do: "end", end: "first" },
  end: { do: "end", end: "last" },
};

/** The command of a key press, or null when the browser should treat it as usual. */
export function commandFor(press: KeyPress, mode: Mode): Command | null {
  const key = press.key.toLowerCase();
  if (press.modified || press.focus === "text" || mode === "dialog") return null;
  if (key === "enter" && press.repeat) return { do: "swallow" };
  if (mode !== "reading") return outsideReading(key, press, mode);
  if (SLICES[key]) return SLICES[key];
  return press.repeat ? null : (moving(key, press) ?? answering(key, press) ?? onImage(key));
}

function moving(key: string, press: KeyPress): Command | null {
  if (key === "tab") return { do: "question", by: press.shift ? -1 : 1 };
  const sideways = key === "arrowleft" || key === "arrowright";
  if (!sideways || press.focus !== "option") return null;
  return { do: "option", by: key === "arrowleft" ? -1 : 1 };
}

function answering(key: string, press: KeyPress): Command | null {
  if (key === "enter" && press.focus !== "button") return { do: "save" };
  return /^\d$/.test(key) ? { do: "digit", digit: key } : null;
}

function onImage(key: string): Command | null {
  const tool = TOOLS[key];
  return tool ? { do: "tool", tool } : (PLAIN[key] ?? null);
}

function outsideReading(key: string, press: KeyPress, mode: Mode): Command | null {
  if (press.repeat) return null;
  if (key === "u" && mode === "finished") return { do: "undo" };
  if (key === "p" && mode === "paused") return { do: "go-on" };
  if (key !== "enter" || press.focus === "button") return null;
  if (mode === "start") return { do: "begin" };
  return mode === "paused" ? { do: "go-on" } : null;
}

/** Rows of the help page. */
export const KEY_HELP: readonly (readonly [keys: string, does: string])[] = [
  ["1 … 9, 0", "choose in the active question"],
  ["N", "not evaluable"],
  ["Tab, Shift+Tab", "next, previous question"],
  ["Enter", "save and next case"],
  ["U", "undo the last case, for 60 s"],
  ["P", "pause"],
  ["H", "help of the question"],
  ["↑ ↓ or wheel", "slice"],
  ["PgUp PgDn", "5 slices"],
  ["Home End", "first, last slice"],
  ["W Z X", "left drag: window, zoom, move"],
  ["L E", "measure a length, an ellipse"],
  ["Delete", "remove the last measure"],
  ["I R F", "invert, reset, one pane full"],
];

export const MOUSE_HELP: readonly (readonly [gesture: string, does: string])[] = [
  ["Left drag", "window (or the chosen tool)"],
  ["Right drag", "zoom"],
  ["Middle drag", "move"],
  ["Ctrl + wheel", "zoom"],
  ["One finger", "slice; hold it first: window"],
  ["Two fingers", "zoom and move"],
];
