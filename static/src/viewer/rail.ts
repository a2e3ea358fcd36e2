import { h, icon, setText } from "../shared/dom";
import { isOffered, type Offer, VIEWER_ACTIONS, type ViewerAction } from "./actions";
import { HANGING_NAMES } from "./hanging";
import { type KeyMap, keyName } from "./keymap";
import type { Controls } from "./viewer";

interface Entry {
  readonly action: ViewerAction;
  readonly icon: string;
  readonly word: string;
  /** Pressed or not, where the button has a state. */
  readonly pressed?: (controls: Controls) => boolean;
  /** Done with fingers where there is no mouse. */
  readonly mouseOnly?: boolean;
}

const tool = (name: Controls["tool"]) => (controls: Controls) => controls.tool === name;

const GROUPS: readonly (readonly Entry[])[] = [
  [
    { action: "window", icon: "window", word: "Window", pressed: tool("window") },
    { action: "zoom", icon: "zoom", word: "Zoom", pressed: tool("zoom"), mouseOnly: true },
    { action: "pan", icon: "pan", word: "Move", pressed: tool("pan"), mouseOnly: true },
    { action: "length", icon: "length", word: "Length", pressed: tool("length") },
    { action: "ellipse", icon: "ellipse", word: "Ellipse", pressed: tool("ellipse") },
    { action: "mark", icon: "mark", word: "Mark", pressed: tool("mark") },
  ],
  [
    { action: "invert", icon: "invert", word: "Invert" },
    { action: "reset", icon: "reset", word: "Reset" },
    { action: "full", icon: "full", word: "Full", pressed: ({ full }) => full },
  ],
  [
    { action: "hanging_next", icon: "panes", word: "Panes" },
    { action: "link", icon: "link", word: "Link", pressed: ({ linked }) => linked },
    { action: "colour", icon: "colour", word: "Colour", pressed: ({ coloured }) => coloured },
    { action: "overlay", icon: "layers", word: "Regions", pressed: ({ overlays }) => overlays },
    { action: "cine", icon: "play", word: "Play", pressed: ({ playing }) => playing },
  ],
];

export interface RailExtra {
  readonly icon: string;
  readonly letter: string;
  readonly word: string;
  readonly run: () => void;
}

/** The tools at the left edge, each with its key. */
export class Rail {
  readonly element: HTMLElement;
  private readonly buttons = new Map<Entry, HTMLButtonElement>();

  constructor(
    private readonly offer: Offer,
    private readonly run: (action: ViewerAction) => void,
    extra: RailExtra | null,
  ) {
    const groups = GROUPS.map((entries) => entries.filter((entry) => this.offers(entry)));
    this.element = h(
      "div",
      {
        class: "rail",
        role: "toolbar",
        "aria-label": "Image tools",
        "aria-orientation": "vertical",
      },
      ...groups
        .filter((entries) => entries.length > 0)
        .flatMap((entries, at) => [
          ...(at === 0 ? [] : [h("hr")]),
          ...entries.map((entry) => this.button(entry)),
        ]),
      extra && this.last(extra),
    );
  }

  /** Marks what is on, and which arrangement is shown. */
  show(controls: Controls): void {
    for (const [entry, button] of this.buttons) {
      if (entry.pressed) button.setAttribute("aria-pressed", String(entry.pressed(controls)));
      if (entry.action !== "hanging_next") continue;
      button.title = `Shown: ${HANGING_NAMES[controls.hanging]}`;
    }
  }

  showKeys(keys: KeyMap): void {
    for (const [{ action, word }, button] of this.buttons) {
      const name = keyName(keys.of(action));
      setText(button.querySelector(".tool__key") as Element, name);
      button.setAttribute("aria-label", name === "" ? word : `${word}, key ${name}`);
    }
  }

  private offers({ action }: Entry): boolean {
    const row = VIEWER_ACTIONS.find((one) => one.action === action);
    return row !== undefined && isOffered(row, this.offer);
  }

  private button(entry: Entry): HTMLButtonElement {
    const button = h(
      "button",
      { type: "button", class: `tool${entry.mouseOnly ? " tool--mouse" : ""}` },
      icon(entry.icon),
      h("span", { class: "tool__key" }),
      h("span", { class: "tool__word" }, entry.word),
    );
    button.addEventListener("click", () => this.run(entry.action));
    this.buttons.set(entry, button);
    return button;
  }

  private last({ icon: name, letter, word, run }: RailExtra): HTMLButtonElement {
    const button = h(
      "button",
      { type: "button", class: "tool tool--last", "aria-label": `${word}, key ${letter}` },
      icon(name),
      h("span", { class: "tool__key" }, letter),
      h("span", { class: "tool__word" }, word),
    );
    button.addEventListener("click", run);
    return button;
  }
}
