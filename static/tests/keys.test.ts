import { describe, expect, it } from "vitest";
import { ACTION_ROWS, commandFor, type KeyPress, type Mode } from "../src/reading/keys";
import { isOffered, type Offer, VIEWER_ACTIONS } from "../src/viewer/actions";
import { changesOnly, conflict, keyName, KeyMap, keyOf } from "../src/viewer/keymap";

const DEFAULTS = new KeyMap(ACTION_ROWS);

function press(
  key: string,
  changes: Partial<KeyPress> = {},
  mode: Mode = "reading",
  keys: KeyMap = DEFAULTS,
) {
  const plain = {
    key,
    code: "",
    shift: false,
    modified: false,
    repeat: false,
    focus: "other",
  } as const;
  return commandFor({ ...plain, ...changes }, mode, keys);
}

const view = (action: string) => ({ do: "view", action });

describe("in a question that is typed into", () => {
  it.each([
    ["w", "field", null],
    ["5", "field", null],
    ["n", "area", null],
    ["Enter", "field", { do: "save" }],
    ["Enter", "area", null],
    ["Escape", "area", { do: "escape" }],
    ["Tab", "field", { do: "question", by: 1 }],
    ["ArrowUp", "field", view("slice_up")],
    ["ArrowUp", "area", null],
    ["ArrowLeft", "field", null],
  ] as const)("%s in a %s", (key, focus, command) => {
    expect(press(key, { focus })).toEqual(command);
  });

  it("saves with Ctrl and Enter from a text of several lines", () => {
    expect(press("Enter", { focus: "area", modified: true })).toEqual({ do: "save" });
  });

  it("means nothing in a sign-in", () => {
    expect(press("Enter", { focus: "text" })).toBeNull();
    expect(press("Enter", { focus: "field" }, "dialog")).toBeNull();
  });
});

describe("while reading", () => {
  it.each([
    ["5", { do: "digit", digit: "5" }],
    ["n", { do: "not-evaluable" }],
    ["N", { do: "not-evaluable" }],
    ["Enter", { do: "save" }],
    ["w", view("window")],
    ["z", view("zoom")],
    ["x", view("pan")],
    ["m", view("mark")],
    ["g", view("hanging_next")],
    ["k", view("link")],
    ["ArrowUp", view("slice_up")],
    ["PageDown", view("slice_down_5")],
    ["Home", view("slice_first")],
    ["Backspace", view("erase")],
    ["Delete", view("erase")],
    ["?", { do: "keys" }],
    ["p", { do: "pause" }],
  ])("%s", (key, command) => {
    expect(press(key)).toEqual(command);
  });

  it("tells shifted letters apart", () => {
    expect(press("G", { shift: true })).toEqual(view("hanging_previous"));
    expect(press("B", { shift: true })).toEqual(view("pane_previous"));
    expect(press("F", { shift: true })).toEqual(view("fullscreen"));
  });

  it("chooses presets with Shift and a digit wherever the digit sits on the keyboard", () => {
    expect(press("!", { shift: true, code: "Digit1" })).toEqual({ do: "preset", index: 0 });
    expect(press('"', { shift: true, code: "Digit2" })).toEqual({ do: "preset", index: 1 });
    // A keyboard whose digits need Shift answers questions with them.
    expect(press("1", { shift: true, code: "Digit1" })).toEqual({ do: "digit", digit: "1" });
  });

  it("moves between questions with Tab and Shift+Tab", () => {
    expect(press("Tab")).toEqual({ do: "question", by: 1 });
    expect(press("Tab", { shift: true })).toEqual({ do: "question", by: -1 });
  });

  it("never repeats Enter, not even on a focused button", () => {
    expect(press("Enter", { repeat: true })).toEqual({ do: "swallow" });
    expect(press("Enter", { repeat: true, focus: "button" })).toEqual({ do: "swallow" });
  });

  it("repeats slices but neither digits nor tools", () => {
    expect(press("ArrowDown", { repeat: true })).toEqual(view("slice_down"));
    expect(press("3", { repeat: true })).toBeNull();
    expect(press("i", { repeat: true })).toBeNull();
  });

  it("leaves Enter and Space on a button to the button", () => {
    expect(press("Enter", { focus: "button" })).toBeNull();
    expect(press(" ", { focus: "button" })).toBeNull();
    expect(press(" ")).toEqual(view("place"));
  });

  it("scrolls with the arrows even when an option has the focus, so that none is changed", () => {
    expect(press("ArrowDown", { focus: "option" })).toEqual(view("slice_down"));
    expect(press("ArrowRight", { focus: "option" })).toMatchObject({ do: "option", by: 1 });
  });
});

describe("muted", () => {
  it.each(["1", "Enter", "p", "ArrowDown"])("while typing: %s", (key) => {
    expect(press(key, { focus: "text" })).toBeNull();
  });

  it("with Ctrl, Alt or Meta", () => {
    expect(press("r", { modified: true })).toBeNull();
  });

  it("in a dialog", () => {
    expect(press("Enter", {}, "dialog")).toBeNull();
  });
});

describe("outside reading", () => {
  it("begins, goes on and undoes", () => {
    expect(press("Enter", {}, "start")).toEqual({ do: "begin" });
    expect(press("Enter", {}, "paused")).toEqual({ do: "go-on" });
    expect(press("p", {}, "paused")).toEqual({ do: "go-on" });
    expect(press("u", {}, "finished")).toEqual({ do: "undo" });
  });

  it("answers nothing behind a curtain", () => {
    expect(press("1", {}, "paused")).toBeNull();
    expect(press("Enter", {}, "finished")).toBeNull();
    expect(press("w", {}, "paused")).toBeNull();
  });
});

describe("the reader's own keys", () => {
  const own = { invert: "q", pause: "", window: "shift+w" };
  const keys = new KeyMap(ACTION_ROWS, own);

  it("take the place of the defaults", () => {
    expect(press("q", {}, "reading", keys)).toEqual(view("invert"));
    expect(press("i", {}, "reading", keys)).toBeNull();
    expect(press("p", {}, "reading", keys)).toBeNull();
    expect(press("W", { shift: true }, "reading", keys)).toEqual(view("window"));
  });

  it("cannot do two things", () => {
    expect(conflict(ACTION_ROWS, {}, "invert", "r")).toContain("R is taken");
    expect(conflict(ACTION_ROWS, { reset: "q" }, "invert", "r")).toBeNull();
    expect(conflict(ACTION_ROWS, {}, "invert", "i")).toBeNull();
    expect(conflict(ACTION_ROWS, {}, "invert", "")).toBeNull();
  });

  it("leave alone what is the same for everybody", () => {
    for (const key of ["1", "enter", "tab", "escape", "?", "arrowleft", "shift+arrowright"]) {
      expect(conflict(ACTION_ROWS, {}, "invert", key)).toContain("stays as it is");
    }
  });

  it("are kept only where they differ", () => {
    expect(changesOnly(ACTION_ROWS, { invert: "i", reset: "q", undo: "" })).toEqual({
      reset: "q",
      undo: "",
    });
  });

  it("have one name for a press, and one on a key cap", () => {
    expect(keyOf({ key: "G", shift: true })).toBe("shift+g");
    expect(keyOf({ key: "?", shift: true })).toBe("?");
    expect(keyOf({ key: "ArrowUp", shift: false })).toBe("arrowup");
    expect(keyName("shift+g")).toBe("⇧ G");
    expect(keyName("pageup")).toBe("PgUp");
  });
});

describe("the table of actions", () => {
  it("gives no key and no action twice", () => {
    const keys = ACTION_ROWS.map(({ key }) => key).filter((key) => key !== "");
    expect(new Set(keys).size).toBe(keys.length);
    const actions = ACTION_ROWS.map(({ action }) => action);
    expect(new Set(actions).size).toBe(actions.length);
  });

  it("offers what the study allows and the images can show", () => {
    const offer: Offer = {
      tools: ["window", "length", "hanging", "planes", "colour", "cine"],
      hangings: ["1x1"],
      slots: 1,
      coloured: false,
      overlays: false,
      interpolationFixed: true,
      slices: false,
    };
    const offered = VIEWER_ACTIONS.filter((row) => isOffered(row, offer)).map((row) => row.action);
    expect(offered).toEqual(["window", "length", "place", "erase", "reset"]);
  });
});
