/** Which key does what, without a page. */
import { type ActionRow, VIEWER_ACTIONS, type ViewerAction } from "../viewer/actions";
import { KeyMap, keyOf } from "../viewer/keymap";

export type Mode = "start" | "reading" | "paused" | "dialog" | "finished";

type FormAction = "not_evaluable" | "undo" | "pause" | "help";

export type Command =
  | { readonly do: "digit"; readonly digit: string }
  | { readonly do: "preset"; readonly index: number }
  | { readonly do: "view"; readonly action: ViewerAction }
  | { readonly do: "question"; readonly by: 1 | -1 }
  | { readonly do: "option"; readonly by: 1 | -1; readonly fine: boolean }
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
        | "escape"
        | "swallow";
    };

export interface KeyPress {
  readonly key: string;
  /** Place of the key on the keyboard, as `KeyboardEvent.code`. */
  readonly code: string;
  readonly shift: boolean;
  /** Ctrl, Alt or Meta is down. */
  readonly modified: boolean;
  readonly repeat: boolean;
  /**
   * What has the focus: a button or link, an option, a field or a text area of a question, another
   * place to type, or anything else.
   */
  readonly focus: "text" | "field" | "area" | "button" | "option" | "other";
}

export const FORM_ACTIONS: readonly ActionRow<FormAction>[] = [
  { action: "not_evaluable", key: "n", does: "not evaluable" },
  { action: "undo", key: "u", does: "undo the last case, for 60 s" },
  { action: "pause", key: "p", does: "pause" },
  { action: "help", key: "h", does: "help of the question" },
];

/** Every action that a reader may give another key. */
export const ACTION_ROWS: readonly ActionRow<string>[] = [...FORM_ACTIONS, ...VIEWER_ACTIONS];

/** Keys that mean the same for everybody. */
export const FIXED_HELP: readonly (readonly [keys: string, does: string])[] = [
  ["1 … 9, 0", "choose in the active question"],
  ["Tab, ⇧ Tab", "next, previous question"],
  ["Enter", "save and next case"],
  ["⇧ 1 … ⇧ 9", "window presets of the active pane"],
  ["← →", "another option; along a line by 5, with ⇧ by 1"],
  ["⌫", "take back a digit or a rank"],
  ["Esc", "leave a text, full pane, placing or a list"],
  ["?", "this list"],
];

const FORM_COMMANDS: Readonly<Record<FormAction, Command>> = {
  not_evaluable: { do: "not-evaluable" },
  undo: { do: "undo" },
  pause: { do: "pause" },
  help: { do: "help" },
};

/** The command of a key press, or null when the browser should treat it as usual. */
export function commandFor(press: KeyPress, mode: Mode, keys: KeyMap): Command | null {
  const key = keyOf(press);
  if (press.focus === "text" || mode === "dialog") return null;
  if (key === "enter" && press.repeat) return press.focus === "area" ? null : { do: "swallow" };
  if (press.focus === "field" || press.focus === "area") return typing(key, press, mode, keys);
  if (press.modified) return null;
  if (mode !== "reading") return outsideReading(key, press, mode, keys);
  return moving(key, press) ?? answering(key, press) ?? acting(key, press, keys);
}

/**
 * Of a question that is typed into, only the keys that leave it, and in one line those that scroll.
 * Enter is a new line in a text area; with Ctrl it saves.
 */
function typing(key: string, press: KeyPress, mode: Mode, keys: KeyMap): Command | null {
  if (mode !== "reading") return null;
  if (press.focus === "field" && /^(arrow|page)(up|down)$/.test(key)) {
    return acting(key, press, keys);
  }
  if (key === "enter" && (press.focus === "field" || press.modified)) return { do: "save" };
  if (press.modified) return null;
  return key === "escape" ? { do: "escape" } : between(key, press);
}

function between(key: string, press: KeyPress): Command | null {
  if (press.repeat) return null;
  if (key === "tab") return { do: "question", by: 1 };
  return key === "shift+tab" ? { do: "question", by: -1 } : null;
}

function moving(key: string, press: KeyPress): Command | null {
  const sideways = /^(shift\+)?arrow(left|right)$/.exec(key);
  if (!sideways || press.focus === "button") return between(key, press);
  return { do: "option", by: sideways[2] === "left" ? -1 : 1, fine: sideways[1] !== undefined };
}

function answering(key: string, press: KeyPress): Command | null {
  if (press.repeat) return null;
  if (key === "enter" && press.focus !== "button") return { do: "save" };
  if (/^\d$/.test(key)) return { do: "digit", digit: key };
  const preset = press.shift && /^Digit([1-9])$/.exec(press.code);
  return preset ? { do: "preset", index: Number(preset[1]) - 1 } : null;
}

function acting(key: string, press: KeyPress, keys: KeyMap): Command | null {
  if (key === "escape") return { do: "escape" };
  if (key === "?" && !press.repeat) return { do: "keys" };
  // The space bar chooses an option and presses a button.
  if (key === " " && press.focus !== "other") return null;
  const action = keys.actionOf(key === "backspace" ? "delete" : key);
  if (action === null || (press.repeat && !keys.repeats(action))) return null;
  if (action in FORM_COMMANDS) return FORM_COMMANDS[action as FormAction];
  return { do: "view", action: action as ViewerAction };
}

function outsideReading(key: string, press: KeyPress, mode: Mode, keys: KeyMap): Command | null {
  if (press.repeat) return null;
  const action = keys.actionOf(key);
  if (action === "undo" && mode === "finished") return { do: "undo" };
  if (action === "pause" && mode === "paused") return { do: "go-on" };
  if (key !== "enter" || press.focus === "button") return null;
  if (mode === "start") return { do: "begin" };
  return mode === "paused" ? { do: "go-on" } : null;
}
