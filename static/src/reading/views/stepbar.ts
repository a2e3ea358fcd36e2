import { h, icon, setText } from "../../shared/dom";
import type { AnswerRow } from "../wording";

export interface StepModel {
  readonly title: string;
  readonly text: string;
  /** What was answered before and cannot be changed any more. */
  readonly sealed: readonly AnswerRow[];
}

/** Above the questions: practice, or the step in which a case is read, with the sealed answers. */
export class StepBar {
  readonly element = h("section", { class: "step", hidden: true, "aria-label": "Step" });
  private readonly title = h("strong");
  private readonly text = h("span");
  private readonly sealed = h("dl", { class: "step__sealed" });
  private readonly caption = h(
    "p",
    { class: "step__caption" },
    icon("lock"),
    "Answers of the step before, sealed",
  );
  private state = "";

  constructor() {
    this.element.append(
      h("p", { class: "step__head" }, this.title, this.text),
      this.caption,
      this.sealed,
    );
  }

  show(model: StepModel | null): void {
    const state = JSON.stringify(model);
    if (state === this.state) return;
    this.state = state;
    this.element.hidden = model === null;
    if (!model) return;
    setText(this.title, model.title);
    setText(this.text, model.text);
    const rows = model.sealed.map(({ question, answer }) =>
      h("div", {}, h("dt", {}, question), h("dd", {}, answer)),
    );
    this.sealed.replaceChildren(...rows);
    this.caption.hidden = rows.length === 0;
    this.sealed.hidden = rows.length === 0;
  }
}
