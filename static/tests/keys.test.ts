import { describe, expect, it } from "vitest";
import { commandFor, type KeyPress, type Mode } from "../src/reading/keys";

function press(key: string, changes: Partial<KeyPress> = {}, mode: Mode = "reading") {
  const plain = { key, shift: false, modified: false, repeat: false, focus: "other" } as const;
  return commandFor({ ...plain, ...changes }, mode);
}

describe("while reading", () => {
  it.each([
    ["5", { do: "digit", digit: "5" }],
    ["n", { do: "not-evaluable" }],
    ["N", { do: "not-evaluable" }],
    ["Enter", { do: "save" }],
    ["w", { do: "tool", tool: "window" }],
    ["z", { do: "tool", tool: "zoom" }],
    ["x", { do: "tool", tool: "pan" }],
    ["ArrowUp", { do: "slice", by: -1 }],
    ["PageDown", { do: "slice", by: 5 }],
    ["Home", { do: "end", end: "first" }],
    ["?", { do: "keys" }],
    ["p", { do: "pause" }],
  ])("%s", (key, command) => {
    expect(press(key)).toEqual(command);
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
    expect(press("ArrowDown", { repeat: true })).toEqual({ do: "slice", by: 1 });
    expect(press("3", { repeat: true })).toBeNull();
  });

  it("leaves Enter on a button to the button", () => {
    expect(press("Enter", { focus: "button" })).toBeNull();
  });

  it("scrolls with the arrows even when an option has the focus, so that none is changed", () => {
    expect(press("ArrowDown", { focus: "option" })).toEqual({ do: "slice", by: 1 });
    expect(press("ArrowRight", { focus: "option" })).toEqual({ do: "option", by: 1 });
    expect(press("ArrowRight")).toBeNull();
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
  });
});
