/** The list of files with their progress, and the line that sums it up. */

import { h, icon, setText } from "../shared/dom";
import { paceText, sizeText } from "./speed";
import type { Item, State, Uploader } from "./uploader";

const SHOWN = 60;
const ORDER: readonly State[] = ["refused", "sending", "waiting", "done"];
const ICONS: Readonly<Record<State, string>> = {
  refused: "blocks",
  sending: "upload",
  waiting: "clock",
  done: "passed",
};

export class UploadView {
  private readonly line = h("p");
  private readonly pace = h("p", { class: "hint" });
  private readonly bar = h("progress", { class: "progress", "aria-label": "Upload" });
  private readonly notice = h("div", { class: "upload-notice" });
  private readonly list = h("ul", { class: "upload-list" });
  private readonly more = h("p", { class: "upload-list__more hint" });
  private readonly rows = new Map<Item, FileRow>();

  constructor(
    private readonly whole: HTMLElement,
    private readonly uploader: Uploader,
  ) {
    const lines = h("div", { class: "upload-total__line" }, this.line, this.pace);
    const total = h("div", { class: "upload-total" }, lines, this.bar, this.notice);
    whole.replaceChildren(total, this.list, this.more);
  }

  draw(): void {
    this.whole.hidden = this.uploader.items.length === 0 && this.uploader.passedOver === 0;
    this.drawTotal();
    this.drawNotice();
    this.drawList();
  }

  private drawTotal(): void {
    const { files, done, refused, bytes, received } = this.uploader.totals;
    const parts = [
      `${done} of ${files} file${files === 1 ? "" : "s"}`,
      `${sizeText(received)} of ${sizeText(bytes)}`,
    ];
    if (refused) parts.push(`${refused} not taken`);
    const { passedOver } = this.uploader;
    if (passedOver) parts.push(`${passedOver} system file${passedOver > 1 ? "s" : ""} left out`);
    setText(this.line, parts.join(", "));
    const { bytesPerSecond } = this.uploader.speed;
    setText(this.pace, this.uploader.busy ? paceText(bytesPerSecond, bytes - received) : "");
    this.bar.max = Math.max(1, bytes);
    this.bar.value = bytes === 0 && done > 0 ? 1 : received;
  }

  private drawNotice(): void {
    const { stopped, retryAt } = this.uploader;
    const text = stopped || (retryAt ? "The connection is lost. What has come is kept." : "");
    if (this.notice.dataset.text === text) return;
    this.notice.dataset.text = text;
    this.notice.replaceChildren();
    if (text) this.notice.append(this.noticeOf(text, stopped !== ""));
  }

  private noticeOf(text: string, stopped: boolean): HTMLElement {
    const title = stopped ? "The upload stopped" : "Trying again by itself";
    const buttons = h(
      "span",
      { class: "notice__end row" },
      small("Go on", () => this.uploader.goOn()),
    );
    if (this.uploader.unannounced.length > 0) {
      buttons.append(small("Leave the rest out", () => this.uploader.goOnWithoutRest()));
    }
    return h(
      "div",
      { class: `notice notice--${stopped ? "stop" : "wait"}`, role: "status" },
      icon(stopped ? "blocks" : "look"),
      h("div", {}, h("p", { class: "notice__title" }, title), h("p", {}, text)),
      stopped && buttons,
    );
  }

  private drawList(): void {
    const groups = ORDER.map((state) => this.uploader.items.filter((item) => item.state === state));
    const shown = groups.flat().slice(0, SHOWN);
    for (const [item] of this.rows) if (!shown.includes(item)) this.rows.delete(item);
    this.place(shown.map((item) => this.rowOf(item).draw()));
    const rest = this.uploader.items.length - shown.length;
    setText(this.more, rest > 0 ? `and ${rest.toLocaleString("en-GB")} more files` : "");
    this.more.hidden = rest <= 0;
  }

  /** Moves only what is out of place, so that the focus stays where it is. */
  private place(elements: readonly HTMLElement[]): void {
    elements.forEach((element, index) => {
      const there = this.list.children[index] ?? null;
      if (there !== element) this.list.insertBefore(element, there);
    });
    while (this.list.children.length > elements.length) this.list.lastElementChild?.remove();
  }

  private rowOf(item: Item): FileRow {
    const known = this.rows.get(item);
    if (known) return known;
    const row = new FileRow(item, () => void this.uploader.remove(item));
    this.rows.set(item, row);
    return row;
  }
}

class FileRow {
  private readonly element: HTMLElement;
  private readonly mark = icon("clock");
  private readonly bar = h("progress", { class: "progress" });
  private readonly state = h("span", { class: "upload-file__state" });

  constructor(
    private readonly item: Item,
    remove: () => void,
  ) {
    const button = h(
      "button",
      { type: "button", class: "button button--quiet button--small", title: "Leave this file out" },
      icon("close"),
      h("span", { class: "visually-hidden" }, `Leave out ${item.path}`),
    );
    button.addEventListener("click", remove);
    this.bar.setAttribute("aria-label", item.path);
    const name = h("span", { class: "upload-file__name mono" }, item.path);
    this.element = h("li", { class: "upload-file" }, this.mark, name, this.bar, this.state, button);
  }

  draw(): HTMLElement {
    const { state, received, size, error } = this.item;
    if (this.element.dataset.state !== state) this.drawState(state, error);
    this.bar.max = Math.max(1, size);
    this.bar.value = state === "done" ? this.bar.max : received;
    if (state !== "refused") setText(this.state, words(this.item));
    return this.element;
  }

  private drawState(state: State, error: string): void {
    this.element.dataset.state = state;
    this.mark.className = `icon icon--${ICONS[state]}`;
    this.bar.hidden = state === "refused";
    if (state !== "refused") return;
    this.state.className = "upload-file__error";
    setText(this.state, error);
  }
}

function words({ state, received, size }: Item): string {
  if (state === "done") return `${sizeText(size)}, has come`;
  if (state === "waiting" && received === 0) return `${sizeText(size)}, waiting`;
  return `${sizeText(received)} of ${sizeText(size)}`;
}

function small(text: string, act: () => void): HTMLButtonElement {
  const made = h("button", { type: "button", class: "button button--small" }, text);
  made.addEventListener("click", act);
  return made;
}
