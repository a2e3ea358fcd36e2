import { h, icon } from "../../shared/dom";

export interface Notice {
  readonly tone: "plain" | "wait" | "stop";
  readonly title: string;
  readonly text: string;
  /** Another mark than that of the tone. */
  readonly icon?: string;
  readonly action?: { readonly label: string; readonly run: () => void };
}

const MARK = { plain: "info", wait: "look", stop: "blocks" } as const;

/** One notice above the save button; it grows into empty space. */
export class NoticeArea {
  readonly element = h("div", { class: "column__notice" });
  private readonly spoken = h("div", { class: "visually-hidden", role: "alert" });
  readonly nodes = [this.spoken, this.element];
  private state = "";

  show(notice: Notice | null): void {
    const state = notice ? JSON.stringify([notice.tone, notice.title, notice.text]) : "";
    if (state === this.state) return;
    this.state = state;
    this.element.replaceChildren(...(notice ? [this.build(notice)] : []));
    const title = notice?.tone === "plain" ? "" : (notice?.title ?? "");
    if (this.spoken.textContent !== title) this.spoken.textContent = title;
  }

  private build(notice: Notice): HTMLElement {
    const tone = notice.tone === "plain" ? "notice" : `notice notice--${notice.tone}`;
    const body = h(
      "div",
      {},
      h("p", { class: "notice__title" }, notice.title),
      notice.text !== "" && h("p", {}, notice.text),
    );
    if (notice.action) {
      const button = h(
        "button",
        { type: "button", class: "button button--small" },
        notice.action.label,
      );
      button.addEventListener("click", notice.action.run);
      body.append(button);
    }
    return h("div", { class: tone }, icon(notice.icon ?? MARK[notice.tone]), body);
  }
}
