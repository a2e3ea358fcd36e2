/** The reader's own question column, fed with the draft. Answers given here go nowhere. */
import type { Layout } from "../viewer/layout";
import type { Question } from "../reading/contract";
import { choose, type Form, give, newForm, setRegion, toggleNotEvaluable } from "../reading/form";
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
