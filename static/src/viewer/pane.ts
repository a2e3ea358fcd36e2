import { h, icon } from "../shared/dom";
import type { Geometry, Size } from "./geometry";
import { Gestures, type GestureTarget } from "./gestures";
import { Overlay, type OverlayModel } from "./overlay";

export interface Slot {
  readonly role: string;
  readonly label: string;
  readonly plane: string;
}

/** What stands over a pane that cannot show its image. */
export interface Cover {
  readonly tone: "plain" | "stop" | "wait";
  readonly title: string;
  readonly text?: string;
  readonly progress?: { readonly value: number; readonly max: number };
  readonly action?: { readonly label: string; readonly run: () => void };
}

const COVER_ICON = { plain: null, stop: "blocks", wait: "look" } as const;

/** One black rectangle with an image, its words and its gestures. */
export class Pane {
  readonly element: HTMLElement;
  readonly host = h("div", { class: "pane__image" });
  private readonly overlay: Overlay;
  private readonly cover = h("div", { class: "pane__cover", hidden: true });
  private covered = "";

  constructor(
    readonly slot: Slot,
    geometry: Geometry,
    target: GestureTarget,
    chooseSlice: (slice: number) => void,
  ) {
    this.overlay = new Overlay(slot.label, slot.plane, geometry, chooseSlice);
    const surface = h("div", { class: "pane__surface" });
    this.element = h(
      "div",
      { class: "pane", role: "group", tabindex: 0, "aria-label": slot.label },
      this.host,
      ...this.overlay.nodes.slice(0, 1),
      surface,
      this.cover,
      ...this.overlay.nodes.slice(1),
    );
    new Gestures(surface, target);
  }

  get size(): Size {
    return { width: this.element.clientWidth, height: this.element.clientHeight };
  }

  show(model: OverlayModel): void {
    this.overlay.show(model);
    const name = this.overlay.name(model);
    if (this.element.getAttribute("aria-label") !== name) {
      this.element.setAttribute("aria-label", name);
    }
  }

  setCover(cover: Cover | null): void {
    const state = cover ? JSON.stringify(cover) : "";
    if (state === this.covered) return;
    this.covered = state;
    this.cover.hidden = cover === null;
    if (cover) this.fillCover(cover);
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
