import { h, icon, key, setText, svg } from "../../shared/dom";

export type ReceiptView =
  | { readonly kind: "none" }
  | { readonly kind: "saved"; readonly at: string }
  | { readonly kind: "saving" }
  | { readonly kind: "waiting"; readonly text: string }
  | { readonly kind: "refused" };

export interface WaitingRow {
  readonly number: number;
  readonly time: string;
  readonly reason: string;
}

export interface TopBarModel {
  readonly title: string;
  readonly place: string;
  readonly left: string;
  readonly done: number;
  readonly total: number;
  readonly breaks: readonly number[];
  /** Share of the next case that is loaded, 0 to 1. */
  readonly ahead: number;
  readonly receipt: ReceiptView;
  readonly waiting: readonly WaitingRow[];
}

const RECEIPT_ICON = {
  none: null,
  saved: "passed",
  saving: "clock",
  waiting: "waiting",
  refused: "blocks",
} as const;

/** Title, place in the study, receipt and pause; the list of waiting answers opens from it. */
export class TopBar {
  readonly element: HTMLElement;
  private readonly title = h("span");
  private readonly place = h("strong");
  private readonly left = h("span");
  private readonly receipt = h("button", { type: "button", class: "receipt" });
  private readonly spoken = h("span", { class: "visually-hidden", role: "status" });
  private readonly line = svg("svg", { class: "progress-line", "aria-hidden": "true" });
  private readonly popover = h("div", { class: "popover", hidden: true });
  private receiptState = "";
  private progressState = "";

  constructor(
    private readonly tryNow: () => void,
    pause: () => void,
  ) {
    const pauseButton = h(
      "button",
      { type: "button", class: "button button--small" },
      icon("pause"),
      "Pause",
      key("P"),
    );
    pauseButton.addEventListener("click", pause);
    this.receipt.addEventListener("click", () => this.toggle());
    this.element = h(
      "header",
      { class: "topbar" },
      h("div", { class: "topbar__title" }, h("span", {}, "readerstudy"), this.title),
      h("div", { class: "topbar__place" }, this.place, this.left),
      h("div", { class: "topbar__end" }, this.spoken, this.receipt, pauseButton),
      this.line,
      this.popover,
    );
  }

  show(model: TopBarModel): void {
    setText(this.title, model.title);
    setText(this.place, model.place);
    setText(this.left, model.left);
    this.showReceipt(model.receipt);
    this.showProgress(model);
    if (model.waiting.length === 0) this.popover.hidden = true;
    if (!this.popover.hidden) this.fillPopover(model.waiting);
    this.waiting = model.waiting;
  }

  closePopover(): boolean {
    const open = !this.popover.hidden;
    this.popover.hidden = true;
    return open;
  }

  private waiting: readonly WaitingRow[] = [];

  private showReceipt(receipt: ReceiptView): void {
    const text = receiptText(receipt);
    const state = `${receipt.kind} ${text}`;
    if (state === this.receiptState) return;
    this.receiptState = state;
    const mark = RECEIPT_ICON[receipt.kind];
    const opens = receipt.kind === "waiting" || receipt.kind === "refused";
    this.receipt.className = `receipt receipt--${receipt.kind}`;
    this.receipt.disabled = !opens;
    this.receipt.hidden = receipt.kind === "none";
    this.receipt.replaceChildren(
      ...(mark ? [icon(mark)] : []),
      text,
      ...(opens ? [icon("chevron-down")] : []),
    );
    setText(this.spoken, text);
  }

  private showProgress({ done, total, breaks, ahead }: TopBarModel): void {
    const at = (count: number) => `${total === 0 ? 0 : (count / total) * 100}%`;
    const state = JSON.stringify([done, total, breaks, Math.floor(ahead * 20)]);
    if (state === this.progressState) return;
    this.progressState = state;
    this.line.replaceChildren(
      svg("rect", { class: "ahead", x: at(done + 1), y: 3, height: 2, width: at(ahead) }),
      svg("rect", { class: "done", x: 0, y: 3, height: 2, width: at(done) }),
      ...breaks.map((count) =>
        svg("line", { class: "tick", x1: at(count), x2: at(count), y1: 0, y2: 6 }),
      ),
    );
  }

  private toggle(): void {
    this.popover.hidden = !this.popover.hidden;
    if (!this.popover.hidden) this.fillPopover(this.waiting);
  }

  private fillPopover(rows: readonly WaitingRow[]): void {
    const again = h("button", { type: "button", class: "button button--small" }, "Try now");
    again.addEventListener("click", this.tryNow);
    this.popover.replaceChildren(
      h("h2", {}, "Kept on this computer"),
      h(
        "ul",
        {},
        ...rows.map(({ number, time, reason }) =>
          h("li", {}, h("span", {}, `Case ${number}`), h("span", {}, reason || time)),
        ),
      ),
      h("p", { class: "hint" }, "An answer leaves this list when the server has confirmed it."),
      again,
    );
  }
}

function receiptText(receipt: ReceiptView): string {
  if (receipt.kind === "saved") return `Saved ${receipt.at}`;
  if (receipt.kind === "saving") return "Saving";
  if (receipt.kind === "waiting") return receipt.text;
  return receipt.kind === "refused" ? "Not accepted" : "";
}
