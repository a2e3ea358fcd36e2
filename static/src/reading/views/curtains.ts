import { h, key } from "../../shared/dom";

export interface CurtainAction {
  readonly label: string;
  readonly cap?: string;
  readonly run: () => void;
}

export interface CurtainModel {
  readonly title: string;
  readonly lines: readonly string[];
  readonly paragraphs?: readonly string[];
  readonly primary?: CurtainAction;
  /** Beside the primary action; never takes the focus by itself. */
  readonly secondary?: CurtainAction;
  readonly link?: { readonly label: string; readonly href: string };
  /** A file to take along. */
  readonly file?: { readonly label: string; readonly href: string };
  readonly wide?: boolean;
}

/** A page over the page: start, pause, end. The image is not seen behind it. */
export class Curtain {
  readonly element = h("div", { class: "curtain", hidden: true });
  private state = "";

  get open(): boolean {
    return !this.element.hidden;
  }

  show(model: CurtainModel | null): void {
    const state = model ? JSON.stringify(model) : "";
    if (state === this.state) return;
    this.state = state;
    this.element.hidden = model === null;
    this.element.replaceChildren(...(model ? [this.card(model)] : []));
    if (model) this.element.querySelector<HTMLElement>(".button--primary")?.focus();
  }

  private card(model: CurtainModel): HTMLElement {
    const wide = model.wide ? " curtain__card--wide" : "";
    return h(
      "section",
      { class: `curtain__card${wide}` },
      h("h1", {}, model.title),
      ...model.lines.map((line) => h("p", {}, line)),
      model.paragraphs !== undefined &&
        h(
          "div",
          { class: "instructions", tabindex: 0 },
          ...model.paragraphs.map((paragraph) => h("p", {}, paragraph)),
        ),
      h(
        "div",
        { class: "row" },
        this.button(model.primary, "button button--primary"),
        this.button(model.secondary, "button"),
        this.link(model.link),
        this.link(model.file),
      ),
    );
  }

  private button(action: CurtainAction | undefined, classes: string): HTMLElement | null {
    if (!action) return null;
    const button = h(
      "button",
      { type: "button", class: classes },
      action.label,
      action.cap !== undefined && key(action.cap),
    );
    button.addEventListener("click", action.run);
    return button;
  }

  private link(link: CurtainModel["link"]): HTMLElement | null {
    return link ? h("a", { class: "button", href: link.href }, link.label) : null;
  }
}
