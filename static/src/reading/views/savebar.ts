import { h, key, setText } from "../../shared/dom";
import { DRAG_NAMES, type MouseMap } from "../../viewer/layout";

export interface SaveModel {
  readonly text: string;
  readonly enabled: boolean;
  readonly undo: { readonly number: number; readonly seconds: number } | null;
  readonly hint: string;
}

/** The save button, what can be undone, and the keys worth knowing. */
export class SaveBar {
  readonly element: HTMLElement;
  private readonly label = h("span");
  private readonly button: HTMLButtonElement;
  private readonly cap = key("⏎");
  private readonly undo: HTMLButtonElement;
  private readonly undoText = h("span");
  private readonly hint = h("span", { class: "quiet" });

  private readonly left = h("span");
  private readonly right = h("span");

  constructor(save: () => void, undo: () => void) {
    this.cap.setAttribute("aria-hidden", "true");
    this.button = h(
      "button",
      { type: "button", class: "button button--large button--block button--primary" },
      this.label,
      this.cap,
    );
    this.button.addEventListener("click", save);
    this.undo = h("button", { type: "button", class: "undo" }, key("U"), this.undoText);
    this.undo.addEventListener("click", undo);
    this.element = h(
      "div",
      { class: "save" },
      this.button,
      h("div", { class: "save__undo" }, this.undo),
      h(
        "div",
        { class: "save__hints" },
        h("span", {}, key("↑"), key("↓"), "or wheel: slice"),
        this.left,
        h("span", {}, key("Tab"), "next question"),
        this.right,
        h("span", {}, key("?"), "all keys"),
        this.hint,
      ),
    );
  }

  show(model: SaveModel): void {
    setText(this.label, model.text);
    this.button.disabled = !model.enabled;
    this.button.classList.toggle("button--primary", model.enabled);
    this.cap.hidden = !model.enabled;
    this.undo.hidden = model.undo === null;
    if (model.undo) {
      setText(this.undoText, `Case ${model.undo.number} can be undone for ${model.undo.seconds} s`);
    }
    setText(this.hint, model.hint);
  }

  showMouse({ left, right }: MouseMap): void {
    setText(this.left, `Left drag: ${DRAG_NAMES[left]}`);
    setText(this.right, `Right drag: ${DRAG_NAMES[right]}`);
  }

  focus(): boolean {
    this.button.focus();
    return document.activeElement === this.button;
  }
}
