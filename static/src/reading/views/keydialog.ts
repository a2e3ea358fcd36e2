import { h, setText } from "../../shared/dom";
import { type ActionRow, MOUSE_HELP } from "../../viewer/actions";
import { keysTable as table, type Rows } from "../../viewer/help";
import { changesOnly, conflict, type Keys, keyName, keyOf, KeyMap } from "../../viewer/keymap";
import {
  type Button,
  DEFAULT_MOUSE,
  DRAG_NAMES,
  type MouseDrag,
  type MouseMap,
} from "../../viewer/layout";
import { ACTION_ROWS, FIXED_HELP, FORM_ACTIONS } from "../keys";

export interface OwnKeys {
  readonly keys: Keys;
  readonly mouse: MouseMap;
}

/** Keeps the choice; a text says why it could not. */
export type KeepKeys = (own: OwnKeys) => Promise<string | null>;

const BUTTONS: readonly (readonly [Button, string])[] = [
  ["left", "Left drag"],
  ["middle", "Middle drag"],
  ["right", "Right drag"],
];
/** Share of the image keys that stand in the first column. */
const FIRST_COLUMN = 0.5;

/** All keys and gestures; every one that may be changed is a button. */
export class KeyDialog {
  readonly element: HTMLDialogElement;
  private readonly body = h("div", { class: "keys-columns" });
  private readonly message = h("p", { class: "keys-message", role: "status" });
  private readonly caps = new Map<string, HTMLButtonElement>();
  private readonly selects = new Map<Button, HTMLSelectElement>();
  private rows: readonly ActionRow<string>[] = [];
  private listening: string | null = null;

  constructor(
    private own: OwnKeys,
    private readonly offered: (row: ActionRow<string>) => boolean,
    private readonly keep: KeepKeys,
  ) {
    const reset = h("button", { type: "button", class: "button" }, "Reset to default");
    const close = h("button", { type: "button", class: "button button--primary" }, "Close");
    this.element = h(
      "dialog",
      { class: "dialog dialog--keys", "aria-labelledby": "keys-title" },
      h("h2", { id: "keys-title" }, "Keys and mouse"),
      h("p", { class: "hint" }, "Click a key cap, then press the key it shall have."),
      this.body,
      this.message,
      h("div", { class: "dialog__actions" }, reset, close),
    );
    reset.addEventListener("click", () => this.change({ keys: {}, mouse: DEFAULT_MOUSE }));
    close.addEventListener("click", () => this.element.close());
    this.element.addEventListener("keydown", (event) => this.pressed(event));
    this.element.addEventListener("cancel", (event) => {
      if (this.listening !== null) event.preventDefault();
    });
    this.element.addEventListener("close", () => this.listenTo(null));
  }

  get open(): boolean {
    return this.element.open;
  }

  show(): void {
    this.rows = ACTION_ROWS.filter((row) => this.offered(row));
    this.fill();
    setText(this.message, "");
    if (!this.element.open) this.element.showModal();
  }

  private fill(): void {
    this.caps.clear();
    const isForm = (row: ActionRow<string>) => FORM_ACTIONS.some((one) => one === row);
    const rows = (of: readonly ActionRow<string>[]): Rows =>
      of.map((row) => [this.cap(row), row.does]);
    const images = this.rows.filter((row) => !isForm(row));
    const cut = Math.ceil(images.length * FIRST_COLUMN);
    this.body.replaceChildren(
      h("div", {}, table("Image", rows(images.slice(0, cut)))),
      h("div", {}, table("Panes and display", rows(images.slice(cut)))),
      h(
        "div",
        {},
        table("Questions", [...FIXED_HELP, ...rows(this.rows.filter(isForm))]),
        table("Mouse and touch", [
          ...BUTTONS.map(([button, name]): [HTMLElement | string, string] => [
            this.select(button, name),
            name.toLowerCase(),
          ]),
          ...MOUSE_HELP,
        ]),
      ),
    );
    this.label();
  }

  private cap(row: ActionRow<string>): HTMLButtonElement {
    const button = h("button", { type: "button", class: "key key--lit key--change" });
    button.addEventListener("click", () => this.listenTo(row.action));
    this.caps.set(row.action, button);
    return button;
  }

  private select(button: Button, name: string): HTMLSelectElement {
    const select = h(
      "select",
      { class: "input input--small", "aria-label": name },
      ...Object.entries(DRAG_NAMES).map(([drag, word]) => h("option", { value: drag }, word)),
    );
    select.value = this.own.mouse[button];
    select.addEventListener("change", () => {
      const mouse = { ...this.own.mouse, [button]: select.value as MouseDrag };
      this.change({ ...this.own, mouse });
    });
    this.selects.set(button, select);
    return select;
  }

  private label(): void {
    const map = new KeyMap(ACTION_ROWS, this.own.keys);
    for (const row of this.rows) {
      const button = this.caps.get(row.action);
      if (!button) continue;
      const name = keyName(map.of(row.action));
      const waiting = this.listening === row.action;
      setText(button, waiting ? "press a key" : name || "none");
      button.classList.toggle("is-waiting", waiting);
      button.setAttribute("aria-label", `Change the key ${name || "none"}: ${row.does}`);
    }
    for (const [button, select] of this.selects) select.value = this.own.mouse[button];
  }

  private listenTo(action: string | null): void {
    this.listening = action;
    if (action !== null)
      setText(this.message, "Press a key. Esc keeps it as it is, ⌫ takes it off.");
    this.label();
  }

  private pressed(event: KeyboardEvent): void {
    // A key pressed right after closing still comes from the button that closed.
    if (!this.element.open) return;
    event.stopPropagation();
    const { listening } = this;
    if (listening === null) {
      if (event.key === "?") this.element.close();
      return;
    }
    if (["Shift", "Control", "Alt", "Meta", "AltGraph", "CapsLock"].includes(event.key)) return;
    event.preventDefault();
    const key = keyOf({ key: event.key, shift: event.shiftKey });
    this.listenTo(null);
    if (key === "escape") return setText(this.message, "");
    this.give(listening, key === "backspace" ? "" : key);
  }

  private give(action: string, key: string): void {
    const problem = conflict(ACTION_ROWS, this.own.keys, action, key);
    if (problem !== null) return setText(this.message, problem);
    const keys = changesOnly(ACTION_ROWS, { ...this.own.keys, [action]: key });
    this.change({ ...this.own, keys });
  }

  private change(own: OwnKeys): void {
    const before = this.own;
    this.own = own;
    this.label();
    setText(this.message, "");
    this.keep(own).then(
      (problem) => {
        if (problem === null) return setText(this.message, "Kept for your next sittings too.");
        this.own = before;
        this.label();
        setText(this.message, problem);
      },
      (error: unknown) => setText(this.message, String(error)),
    );
  }
}
