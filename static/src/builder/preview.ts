/** The reader's own question column, fed with the draft. Answers given here go nowhere. */
import type { Layout } from "../viewer/layout";
import type { Question } from "../reading/contract";
import {
  activate,
  choose,
  chooseByDigit,
  type Form,
  give,
  neighbour,
  newForm,
  setRegion,
  toggleNotEvaluable,
} from "../reading/form";
import { QuestionList } from "../reading/views/questions";

export interface Shown {
  readonly slots: readonly {
    readonly role: string;
    readonly label: string;
    readonly place: number;
  }[];
  readonly tools: readonly string[];
  readonly questions: readonly Question[];
}

export class Preview {
  private form: Form = newForm([]);
  private list: QuestionList | null = null;

  constructor(
    private readonly place: HTMLElement,
    private readonly open: (code: string) => void,
  ) {}

  show(shown: Shown, openCode: string): void {
    const { questions } = shown;
    this.form = { ...newForm(questions), active: indexOf(questions, openCode) };
    this.list = new QuestionList(
      questions,
      {
        choose: (question, option) => this.change(choose(this.form, question, option)),
        notEvaluable: (question) => this.change(toggleNotEvaluable(this.form, question)),
        activate: (question) => this.activate(question),
        showRegion: () => undefined,
        clearRegion: (question) =>
          this.change(setRegion(this.form, questions[question]?.code ?? "", null)),
        mark: () => undefined,
        give: (question, value) => this.change(give(this.form, question, value)),
      },
      layoutOf(shown),
    );
    this.place.replaceChildren(this.list.element);
    this.list.show(this.form, true);
  }

  /** A key as on the reading page; false if it means nothing here. */
  press(key: string, shift = false): boolean {
    const { active } = this.form;
    if (/^\d$/.test(key)) this.change(chooseByDigit(this.form, key));
    else if (key.toLowerCase() === "n") this.change(toggleNotEvaluable(this.form, active));
    else if (key.toLowerCase() === "h") this.list?.toggleHelp(active);
    else if (key === "Tab") return this.step(shift ? -1 : 1);
    else return false;
    return true;
  }

  private step(by: 1 | -1): boolean {
    const next = neighbour(this.form, by);
    if (next === null) return false;
    this.change(activate(this.form, next));
    this.list?.reveal(next);
    return true;
  }

  private activate(question: number): void {
    this.change({ ...this.form, active: question });
    const code = this.form.questions[question]?.code;
    if (code !== undefined) this.open(code);
  }

  private change(form: Form): void {
    this.form = form;
    this.list?.show(form, true);
  }
}

function indexOf(questions: readonly Question[], code: string): number {
  return Math.max(
    0,
    questions.findIndex((question) => question.code === code),
  );
}

/** What the question column asks of a layout: labels and tools. */
function layoutOf({ slots, tools }: Shown): Layout {
  return { slots, tools } as unknown as Layout;
}
