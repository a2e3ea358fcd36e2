import { h, icon } from "../../shared/dom";
import type { Tool } from "../../viewer/gestures";
import type { Command } from "../keys";

interface Entry {
  readonly icon: string;
  readonly letter: string;
  readonly word: string;
  readonly command: Command;
}

const TOOLS: readonly Entry[] = [
  { icon: "window", letter: "W", word: "Window", command: { do: "tool", tool: "window" } },
  { icon: "zoom", letter: "Z", word: "Zoom", command: { do: "tool", tool: "zoom" } },
  { icon: "pan", letter: "X", word: "Move", command: { do: "tool", tool: "pan" } },
  { icon: "length", letter: "L", word: "Length", command: { do: "tool", tool: "length" } },
  { icon: "ellipse", letter: "E", word: "Ellipse", command: { do: "tool", tool: "ellipse" } },
];

const ACTIONS: readonly Entry[] = [
  { icon: "invert", letter: "I", word: "Invert", command: { do: "invert" } },
  { icon: "reset", letter: "R", word: "Reset", command: { do: "reset" } },
  { icon: "full", letter: "F", word: "Full", command: { do: "full" } },
];

/** The tools at the left edge, each with its key. */
export class Rail {
  readonly element: HTMLElement;
  private readonly tools = new Map<Tool, HTMLButtonElement>();

  constructor(private readonly run: (command: Command) => void) {
    const keys = this.button({ icon: "keys", letter: "?", word: "Keys", command: { do: "keys" } });
    keys.classList.add("tool--last");
    this.element = h(
      "div",
      {
        class: "rail",
        role: "toolbar",
        "aria-label": "Image tools",
        "aria-orientation": "vertical",
      },
      ...TOOLS.map((entry) => this.tool(entry)),
      h("hr"),
      ...ACTIONS.map((entry) => this.button(entry)),
      keys,
    );
    this.show("window");
  }

  show(tool: Tool): void {
    for (const [name, button] of this.tools) {
      button.setAttribute("aria-pressed", String(name === tool));
    }
  }

  private tool(entry: Entry): HTMLButtonElement {
    const button = this.button(entry);
    if (entry.command.do === "tool") this.tools.set(entry.command.tool, button);
    return button;
  }

  private button(entry: Entry): HTMLButtonElement {
    const button = h(
      "button",
      { type: "button", class: "tool", "aria-label": `${entry.word}, key ${entry.letter}` },
      icon(entry.icon),
      h("span", { class: "tool__key" }, entry.letter),
      h("span", { class: "tool__word" }, entry.word),
    );
    button.addEventListener("click", () => this.run(entry.command));
    return button;
  }
}
