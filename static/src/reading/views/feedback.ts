import { h, icon, setText } from "../../shared/dom";

export interface FeedbackRow {
  readonly question: string;
  readonly given: string;
  readonly right: string;
  readonly agrees: boolean;
}

/** After a practice case: what was answered and what is right, beside the image. */
export class FeedbackCard {
  readonly element = h("section", { class: "feedback", hidden: true, role: "status" });
  private readonly title = h("h2");
  private readonly rows = h("div", { class: "feedback__rows" });
  private state = "";

  constructor() {
    this.element.append(this.title, this.rows);
  }

  show(rows: readonly FeedbackRow[] | null): void {
    const state = JSON.stringify(rows);
    if (state === this.state) return;
    this.state = state;
    this.element.hidden = rows === null;
    if (!rows) return;
    const right = rows.filter(({ agrees }) => agrees).length;
    setText(this.title, feedbackTitle(right, rows.length));
    this.rows.replaceChildren(...rows.map(rowOf));
  }
}

function feedbackTitle(right: number, told: number): string {
  if (told === 0) return "Saved. No answer of this case is told.";
  if (told === 1) return right === 1 ? "That is right" : "That is not right";
  return `${right} of ${told} answers are right`;
}

function rowOf({ question, given, right, agrees }: FeedbackRow): HTMLElement {
  return h(
    "div",
    { class: `feedback__row ${agrees ? "feedback__row--right" : "feedback__row--wrong"}` },
    h("p", { class: "feedback__question" }, question),
    h(
      "p",
      {},
      icon(agrees ? "passed" : "look"),
      h("span", {}, agrees ? `Your answer is right: ${given}` : `Your answer: ${given}`),
    ),
    !agrees && h("p", { class: "feedback__answer" }, `Right: ${right}`),
  );
}
