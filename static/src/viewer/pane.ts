import { h, icon, key, setText } from "../shared/dom";
import type { Size } from "./geometry";
import { Gestures, type GestureTarget } from "./gestures";
import { LabelLayer, type LabelPicture } from "./labels";
import type { SlotLayout } from "./layout";
import { Overlay, type OverlayModel } from "./overlay";

/** What stands over a pane that cannot show its image. */
export interface Cover {
  readonly tone: "plain" | "stop" | "wait";
  readonly title: string;
  readonly text?: string;
  readonly progress?: { readonly value: number; readonly max: number };
  readonly action?: { readonly label: string; readonly run: () => void };
}

const COVER_ICON = { plain: null, stop: "blocks", wait: "look" } as const;

export interface PaneHooks {
  readonly target: GestureTarget;
  chooseSlice(slice: number): void;
  choosePreset(index: number): void;
  focused(): void;
}

/** One black rectangle with an image, its words and its gestures. */
export class Pane {
  readonly element: HTMLElement;
  readonly host = h("div", { class: "pane__image" });
  private readonly labels = new LabelLayer();
  private readonly overlay: Overlay;
  private readonly content: HTMLElement;
  private readonly cover = h("div", { class: "pane__cover", hidden: true });
  private readonly presets = h("div", { class: "presets", hidden: true });
  private presetSlot: SlotLayout | null = null;
  private covered = "";

  constructor(private readonly hooks: PaneHooks) {
    this.overlay = new Overlay((slice) => hooks.chooseSlice(slice), this.presets);
    const surface = h("div", { class: "pane__surface" });
    this.content = h(
      "div",
      { class: "pane__content" },
      this.host,
      this.labels.canvas,
      this.overlay.marks,
      surface,
      this.cover,
      ...this.overlay.nodes,
    );
    this.element = h("div", { class: "pane", role: "group", tabindex: 0 }, this.content);
    this.element.addEventListener("focus", () => hooks.focused());
    this.element.addEventListener("pointerdown", (event) => this.maybeOpenPresets(event));
    new Gestures(surface, hooks.target);
  }

  get size(): Size {
    return { width: this.element.clientWidth, height: this.element.clientHeight };
  }

  /** An empty place in the arrangement. */
  blank(): void {
    this.content.hidden = true;
    this.element.removeAttribute("aria-label");
  }

  show(model: OverlayModel): void {
    this.content.hidden = false;
    this.overlay.show(model);
    const name = this.overlay.name(model);
    if (this.element.getAttribute("aria-label") !== name) {
      this.element.setAttribute("aria-label", name);
    }
    this.fillPresets(model.slot);
  }

  showLabels(pictures: readonly LabelPicture[], state: string): void {
    this.labels.show(pictures, this.size, state);
  }

  setCover(cover: Cover | null): void {
    const state = cover ? JSON.stringify(cover) : "";
    if (state === this.covered) return;
    this.covered = state;
    this.cover.hidden = cover === null;
    if (cover) this.fillCover(cover);
  }

  /** The words of the window open the list of presets. */
  private maybeOpenPresets(event: Event): void {
    const words = (event.target as Element).closest(".pane__window");
    if (words && this.presets.childElementCount > 0) this.presets.hidden = !this.presets.hidden;
    else if (!(event.target as Element).closest(".presets")) this.presets.hidden = true;
  }

  private fillPresets(slot: SlotLayout): void {
    if (slot === this.presetSlot) return;
    this.presetSlot = slot;
    this.presets.hidden = true;
    this.element.classList.toggle("has-presets", slot.presets.length > 0);
    this.presets.replaceChildren(
      ...slot.presets.map(({ label }, index) => {
        const button = h("button", { type: "button" }, h("span"), key(`⇧ ${index + 1}`));
        setText(button.firstElementChild as Element, label);
        button.addEventListener("click", () => {
          this.presets.hidden = true;
          this.hooks.choosePreset(index);
        });
        return button;
      }),
    );
  }

  private fillCover(cover: Cover): void {
    const mark = COVER_ICON[cover.tone];
    this.cover.className = `pane__cover pane__cover--${cover.tone}`;
    this.cover.replaceChildren(
      h("div", { class: "title" }, mark && icon(mark), cover.title),
      ...(cover.text ? [h("div", {}, cover.text)] : []),
      ...(cover.progress
        ? [h("progress", { class: "progress", "aria-label": "Slices loaded", ...cover.progress })]
        : []),
    );
    const { action } = cover;
    if (!action) return;
    const button = h("button", { class: "button button--small", type: "button" }, action.label);
    button.addEventListener("click", action.run);
    this.cover.append(button);
  }
}
