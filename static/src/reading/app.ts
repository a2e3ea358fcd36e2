/** Joins the session, the panes, the form and the keys into one page. */
import { h } from "../shared/dom";
import type { MakeBackend } from "../viewer/backend";
import type { CaseCache } from "../viewer/cache";
import type { ChunkError } from "../viewer/loader";
import type { Cover } from "../viewer/pane";
import { isOffered, VIEWER_ACTIONS, type ViewerAction } from "../viewer/actions";
import { KeyMap } from "../viewer/keymap";
import { DEFAULT_MOUSE } from "../viewer/layout";
import type { Measure } from "../viewer/measure";
import type { Viewer } from "../viewer/viewer";
import { isOnLine, regionOf } from "./answers";
import { type Api, NoConnection, ServerError } from "./api";
import { badgesOf } from "./badges";
import { type AwayReason, monotonicNow } from "./clock";
import type { FormSpec, StudyState, Withdrawn } from "./contract";
import { curtainFor } from "./curtainmodels";
import { Desk } from "./desk";
import type { Drafts } from "./drafts";
import {
  activate,
  choose,
  chooseByDigit,
  type Form,
  give,
  isComplete,
  neighbour,
  newForm,
  nextMisfit,
  nudge,
  setRegion,
  takeBack,
  toggleNotEvaluable,
} from "./form";
import { ACTION_ROWS, type Command, commandFor, type KeyPress, type Mode } from "./keys";
import { feedbackRows, noticeFor, saveModel, stepModel, topBarModel } from "./models";
import type { AnswerQueue } from "./queue";
import { answerMeasures, regionFrom, wantedFor } from "./regions";
import { Sender } from "./sender";
import { focusOf, pressOf } from "./press";
import { Session } from "./session";
import { Curtain } from "./views/curtains";
import { SignInDialog } from "./views/dialogs";
import { KeyDialog, type OwnKeys } from "./views/keydialog";
import { FeedbackCard } from "./views/feedback";
import { NoticeArea } from "./views/notices";
import type { QuestionList } from "./views/questions";
import { SaveBar } from "./views/savebar";
import { StepBar } from "./views/stepbar";
import { TopBar } from "./views/topbar";
import { timeOfDay } from "./words";

export interface PageSettings {
  readonly home: string;
  readonly userName: string;
  /** Name under which this tab remembers that reading has begun. */
  readonly sittingKey: string;
  /** Said when answers cannot outlive the page. */
  readonly keepsAnswers: boolean;
}

export interface AppParts {
  readonly api: Api;
  readonly queue: AnswerQueue;
  readonly drafts: Drafts;
  readonly cache: CaseCache;
  readonly makeBackend: MakeBackend;
  readonly settings: PageSettings;
}

const SAVING_AFTER_MS = 1000;
const VIEWER_DRAFT_MS = 200;
/** Another window can have gone on only if this one was left for a while. */
const LONG_AWAY_MS = 5000;
const TICK_MS = 500;
/** How soon a reader is told that the case on screen was withdrawn. */
const LOOK_MS = 30_000;
/** How far an arrow moves along a line. */
const LINE_STEP = 5;
const VIEWER_ROWS = Object.fromEntries(VIEWER_ACTIONS.map(({ action }) => [action, true]));

export class App {
  private readonly session: Session;
  private readonly desk: Desk;
  private readonly bar: TopBar;
  private readonly save: SaveBar;
  private readonly step = new StepBar();
  private readonly feedback = new FeedbackCard();
  private readonly notices = new NoticeArea();
  private readonly curtain = new Curtain();
  private readonly keyHelp: KeyDialog;
  private readonly signIn: SignInDialog;
  private readonly element: HTMLElement;
  private begun: boolean;
  private keys: KeyMap;
  private draftTimer = 0;
  private awaySince: number | null = null;
  private shownToken: string | null = null;
  private renderAsked = false;

  constructor(
    private readonly root: HTMLElement,
    state: StudyState,
    private readonly parts: AppParts,
  ) {
    const { api, queue, settings } = parts;
    this.begun = sessionStorage.getItem(settings.sittingKey) !== null;
    const { keys, mouse } = (state.forms[0] as FormSpec).layout;
    this.keys = new KeyMap(ACTION_ROWS, keys);
    this.desk = this.makeDesk(state);
    this.session = new Session(
      {
        ...parts,
        screen: this.desk,
        makeSender: (events) => new Sender(queue, api, events),
      },
      state,
      { changed: () => this.render(), signIn: (other) => this.askSignIn(other) },
    );
    this.bar = new TopBar(
      () => void this.session.retryRefused(),
      () => this.session.pause(),
    );
    this.keyHelp = new KeyDialog(
      { keys, mouse: { ...DEFAULT_MOUSE, ...mouse } },
      (row) => !(row.action in VIEWER_ROWS) || isOffered(row, this.viewer.offer),
      (own) => this.keepKeys(own),
    );
    this.desk.showKeys(this.keys);
    this.save = new SaveBar(
      () => this.saveOrGoOn(),
      () => void this.session.undo(),
    );
    this.save.showMouse(this.viewer.currentMouse);
    this.signIn = new SignInDialog(
      (name, password) => this.signInAgain(name, password),
      settings.userName,
    );
    this.element = this.build();
  }

  async start(): Promise<void> {
    this.root.replaceChildren(this.element);
    this.listen();
    this.session.paused = !this.begun;
    await this.session.start();
    if (!this.begun) this.session.current?.clock.pause(monotonicNow());
    setInterval(() => this.render(), TICK_MS);
    setInterval(() => {
      if (!document.hidden) this.session.look();
    }, LOOK_MS);
  }

  private makeDesk(state: StudyState): Desk {
    return new Desk(state.forms, this.parts.makeBackend, {
      viewer: {
        onShown: () => this.session.imageShown(),
        onChange: () => this.viewerChanged(),
        onControls: () => undefined,
        onFull: (full) => this.element.classList.toggle("reading--full", full && this.single),
        onTagged: (tag, measure) => this.regionDrawn(tag, measure),
        failureCover: (failure) => this.failureCover(failure),
      },
      questions: {
        choose: (question, option) => this.edit((form) => choose(form, question, option)),
        notEvaluable: (question) => this.edit((form) => toggleNotEvaluable(form, question)),
        activate: (question) => this.edit((form) => activate(form, question)),
        showRegion: (question) => this.showRegion(question),
        clearRegion: (question) => this.clearRegion(question),
        mark: () => void this.viewer.run("mark"),
        give: (question, value) => this.edit((form) => give(form, question, value)),
      },
      rail: { icon: "keys", letter: "?", word: "Keys", run: () => this.keyHelp.show() },
      changed: () => this.element.classList.toggle("reading--many", this.desk.many),
    });
  }

  private get viewer(): Viewer {
    return this.desk.viewer;
  }

  private get questions(): QuestionList {
    return this.desk.questions;
  }

  /** Among several panes the full one takes the place of the others; a single one that of the form. */
  private get single(): boolean {
    return this.desk.spec.layout.slots.length === 1;
  }

  private build(): HTMLElement {
    const { places } = this.desk;
    return h(
      "div",
      { class: `reading${this.desk.many ? " reading--many" : ""}` },
      this.bar.element,
      places.rail,
      places.panes,
      h(
        "aside",
        { class: "column", "aria-label": "Answers" },
        this.step.element,
        places.questions,
        this.feedback.element,
        ...this.notices.nodes,
        this.save.element,
      ),
      this.curtain.element,
      this.keyHelp.element,
      this.signIn.element,
    );
  }

  private listen(): void {
    const { session } = this;
    const now = monotonicNow;
    document.addEventListener("keydown", (event) => this.keyDown(event));
    for (const name of ["pointerdown", "pointermove", "wheel", "keydown"]) {
      const input = () => session.current?.clock.input(now());
      document.addEventListener(name, input, { passive: true, capture: true });
    }
    window.addEventListener("online", () => session.connectionChanged(true));
    window.addEventListener("offline", () => session.connectionChanged(false));
    window.addEventListener("blur", () => this.wentAway("blur"));
    window.addEventListener("focus", () => this.cameBack());
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.wentAway("hidden");
      else this.cameBack();
    });
    // A button pressed with the mouse must not catch the Enter meant for saving.
    this.element.addEventListener("mousedown", (event) => {
      const target = event.target as Element;
      if (target.closest("button") && !target.closest("dialog")) event.preventDefault();
    });
    window.addEventListener("pagehide", () => {
      session.keepDraft();
      this.parts.drafts.flush();
    });
    if (!this.parts.settings.keepsAnswers) {
      window.addEventListener("beforeunload", (event) => {
        if (session.waiting.length > 0) event.preventDefault();
      });
    }
  }

  private wentAway(reason: AwayReason): void {
    this.awaySince ??= monotonicNow();
    this.session.current?.clock.away(monotonicNow(), reason);
  }

  /** The reader is back at this window; another one may have gone on meanwhile. */
  private cameBack(): void {
    if (document.hidden || !document.hasFocus()) return;
    const now = monotonicNow();
    this.session.current?.clock.back(now);
    if (this.awaySince !== null && now - this.awaySince > LONG_AWAY_MS) void this.session.refresh();
    this.awaySince = null;
  }

  // Changes.

  private edit(change: (form: Form) => Form): void {
    const { current } = this.session;
    if (!current) return;
    const before = current.form;
    const after = change(before);
    if (sameForm(after, before)) return;
    this.session.setForm(after);
    if (after.active !== before.active) this.followActive(after.active);
  }

  private followActive(index: number): void {
    this.questions.reveal(index);
    const focused = document.activeElement;
    const option = focused instanceof HTMLInputElement && focusOf(focused) === "option";
    if (option && this.questions.hasFocus()) this.questions.focus(index);
  }

  private viewerChanged(): void {
    this.questions.showMarks(this.viewer.markCount);
    clearTimeout(this.draftTimer);
    this.draftTimer = window.setTimeout(() => this.session.keepDraft(), VIEWER_DRAFT_MS);
  }

  private failureCover(failure: ChunkError): Cover {
    const text =
      failure.kind === "gone"
        ? "It is no longer available to this reading. Your answers are untouched."
        : "Your answers are untouched.";
    const run = () => this.session.retryImages();
    return {
      tone: "stop",
      title: "This image did not arrive",
      text,
      action: { label: "Try again", run },
    };
  }

  // Places on the image as answers.

  private regionDrawn(code: string, measure: Measure | null): void {
    if (!measure) return this.edit((form) => setRegion(form, code, null));
    const measured = this.viewer.measured(measure);
    if (!measured) return this.followForm();
    this.edit((form) => setRegion(form, code, regionFrom(measure, measured)));
  }

  private showRegion(index: number): void {
    const form = this.session.current?.form;
    const region = regionOf(form?.answers[form.questions[index]?.code ?? ""]);
    const at = region?.points_mm[0];
    if (region && at) this.viewer.jumpTo(region.role, region.plane, at);
  }

  private clearRegion(index: number): void {
    const code = this.session.current?.form.questions[index]?.code;
    if (code !== undefined) this.edit((form) => setRegion(form, code, null));
  }

  /** The panes show the places of the form, and hold the tool its active question needs. */
  private followForm(): void {
    const { current } = this.session;
    const open = current !== null && !current.submitting;
    this.viewer.want(open ? wantedFor(current.form) : null);
    if (current) this.viewer.setTagged(answerMeasures(current.form));
    this.viewer.setBadges(current ? badgesOf(current.form, this.desk.spec) : new Map());
    this.questions.showMarks(this.viewer.markCount);
  }

  private async keepKeys(own: OwnKeys): Promise<string | null> {
    try {
      await this.parts.api.savePreferences(own);
    } catch (error) {
      if (error instanceof NoConnection) return "No connection: the keys stay as they were.";
      return error instanceof Error ? error.message : String(error);
    }
    this.keys = new KeyMap(ACTION_ROWS, own.keys);
    this.desk.showKeys(this.keys);
    this.desk.setMouse(own.mouse);
    this.save.showMouse(own.mouse);
    return null;
  }

  private begin(): void {
    this.begun = true;
    sessionStorage.setItem(this.parts.settings.sittingKey, "1");
    this.session.leavePractice();
    this.session.resume();
  }

  /** Saves a complete form, goes to what is missing, or leaves what was told of a practice case. */
  private saveOrGoOn(): void {
    const { session } = this;
    const form = session.current?.form;
    if (session.feedback) void session.passFeedback();
    else if (!form || isComplete(form)) void session.submit();
    else this.goToMissing(form);
  }

  private goToMissing(form: Form): void {
    const next = nextMisfit(form);
    if (next === null) return;
    this.edit((before) => activate(before, next));
    if (this.questions.isTyped(next)) this.questions.focus(next);
    else (document.activeElement as HTMLElement | null)?.blur();
    this.questions.reveal(next);
  }

  private async signInAgain(name: string, password: string): Promise<string | null> {
    try {
      await this.parts.api.signIn(name, password);
    } catch (error) {
      return signInProblem(error);
    }
    this.session.reconnect();
    return null;
  }

  private askSignIn(otherUser: boolean): void {
    const name = this.parts.settings.userName;
    this.signIn.open(
      otherUser
        ? `Another person is signed in on this computer. Sign in as ${name} to go on; everything is kept.`
        : "Your answers and the half-filled form are kept.",
    );
  }

  // Keys.

  private get mode(): Mode {
    if (this.keyHelp.open || this.signIn.element.open) return "dialog";
    if (!this.begun || this.session.justPractised) return "start";
    if (this.session.paused) return "paused";
    return this.session.finished ? "finished" : "reading";
  }

  private keyDown(event: KeyboardEvent): void {
    const press = pressOf(event);
    if (this.placing(press)) return event.preventDefault();
    const command = commandFor(press, this.mode, this.keys);
    if (!command) return;
    const taken = command.do === "question" ? this.moveQuestion(command.by) : this.run(command);
    if (taken) event.preventDefault();
  }

  /** While points are placed with the keys, arrows and Enter belong to the image. */
  private placing({ key, shift, modified, repeat, focus }: KeyPress): boolean {
    if (this.mode !== "reading" || modified || focus === "text") return false;
    if (key === "Enter" && (repeat || focus === "button")) return false;
    return this.viewer.placingKey(key.toLowerCase(), shift);
  }

  /** Tab stays in the usual order of the page before the first and after the last question. */
  private moveQuestion(by: 1 | -1): boolean {
    const { current } = this.session;
    if (!current || !this.inQuestions()) return false;
    const { active } = current.form;
    if (by === 1 && this.questions.isTyped(active) && !this.questions.hasFocus()) {
      this.questions.focus(active);
      return true;
    }
    const next = neighbour(current.form, by);
    if (next === null) return by === 1 && this.save.focus();
    this.edit((form) => activate(form, next));
    this.questions.focus(next);
    return true;
  }

  private inQuestions(): boolean {
    const focused = document.activeElement;
    const pane = focused?.closest(".pane");
    return focused === document.body || pane !== null || this.questions.hasFocus();
  }

  /** Runs a command; false leaves the key to the browser. */
  private run(command: Command): boolean {
    if (command.do === "escape") return this.leave();
    if (command.do === "option") return this.moveAlong(command.by, command.fine);
    if (command.do === "view") return this.runOnView(command.action);
    if (command.do === "preset") this.viewer.preset(command.index);
    else this.runOnForm(command);
    return true;
  }

  /** Takes back a digit or a rank before anything on the image. */
  private runOnView(action: ViewerAction): boolean {
    const form = this.session.current?.form;
    if (action !== "erase" || !form) return this.viewer.run(action);
    const after = takeBack(form);
    if (after === form) return this.viewer.run(action);
    this.edit(() => after);
    return true;
  }

  /** Leaves a text, else a list or a full pane. */
  private leave(): boolean {
    const focused = document.activeElement;
    if (focused instanceof HTMLElement && ["field", "area"].includes(focusOf(focused))) {
      focused.blur();
      return true;
    }
    return this.bar.closePopover() || this.viewer.leaveFull();
  }

  /** Left and right: along a line, else among the options of the question with the focus. */
  private moveAlong(by: 1 | -1, fine: boolean): boolean {
    const form = this.session.current?.form;
    const question = form?.questions[form.active];
    if (!form || !question) return false;
    if (isOnLine(question)) this.edit((before) => nudge(before, by * (fine ? 1 : LINE_STEP)));
    else if (!fine && this.questions.hasFocus()) this.questions.focusBy(form.active, by);
    else return false;
    return true;
  }

  private digit(digit: string, active: number): void {
    if (!this.questions.begin(active, digit)) this.edit((form) => chooseByDigit(form, digit));
  }

  private runOnForm(command: Command): void {
    const active = this.session.current?.form.active ?? 0;
    if (command.do === "digit") this.digit(command.digit, active);
    else if (command.do === "not-evaluable") this.edit((form) => toggleNotEvaluable(form, active));
    else if (command.do === "help") this.questions.toggleHelp(active);
    else this.runOnSession(command);
  }

  private runOnSession(command: Command): void {
    const { session } = this;
    if (command.do === "save") this.saveOrGoOn();
    else if (command.do === "undo") void session.undo();
    else if (command.do === "pause") session.pause();
    else if (command.do === "go-on") session.resume();
    else if (command.do === "begin") this.begin();
    else if (command.do === "keys") this.keyHelp.show();
  }

  // Views.

  /** Many changes at once draw the page once. */
  private render(): void {
    if (this.renderAsked) return;
    this.renderAsked = true;
    queueMicrotask(() => {
      this.renderAsked = false;
      this.renderNow();
    });
  }

  /** A new case begins at the top of the form, with the keys free. */
  private welcome(token: string | null): void {
    if (token === this.shownToken) return;
    this.shownToken = token;
    this.questions.element.scrollTop = 0;
    const focused = document.activeElement;
    if (focused instanceof HTMLElement && focused.closest(".column")) focused.blur();
  }

  private renderNow(): void {
    const { session } = this;
    const saving = session.sender.sending;
    const slow = saving !== null && Date.now() - saving.since > SAVING_AFTER_MS;
    this.bar.show(topBarModel(session, slow));
    const { current } = session;
    this.welcome(current?.token ?? null);
    const form = current?.form ?? newForm(this.desk.spec.questions);
    this.questions.show(form, current !== null && !current.submitting);
    this.step.show(stepModel(session));
    this.feedback.show(feedbackRows(session));
    this.followForm();
    this.save.show(saveModel(session, form));
    this.notices.show(noticeFor(session, this.parts.settings.keepsAnswers));
    this.viewer.setCover(this.cover());
    this.curtain.show(
      curtainFor(session, {
        begun: this.begun,
        home: this.parts.settings.home,
        begin: () => this.begin(),
        goOn: () => session.resume(),
        undo: () => void session.undo(),
        readChanges: () => window.location.reload(),
      }),
    );
  }

  /** What lies over the panes: a withdrawn case, or a page that waits for the connection. */
  private cover(): Cover | null {
    const { session } = this;
    if (session.withdrawn) return withdrawnCover(session, session.withdrawn);
    return session.stuck ? stuckCover(session) : null;
  }
}

function withdrawnCover(session: Session, { at }: Withdrawn): Cover {
  return {
    tone: "wait",
    title: "Case withdrawn",
    text: `Withdrawn at ${timeOfDay(at)} by the study. What you entered is kept; an answer saved now is kept as late.`,
    action: { label: "Next case", run: () => void session.passWithdrawn() },
  };
}

function stuckCover(session: Session): Cover {
  const { number } = session;
  const kept = number === null ? "Your answers are" : `The answer to case ${number} is`;
  return {
    tone: "wait",
    title: "Reading waits for the connection",
    text: `${kept} kept on this computer.`,
  };
}

function signInProblem(error: unknown): string {
  if (error instanceof NoConnection) return "The server cannot be reached. Try again.";
  if (error instanceof ServerError && error.code === "other_user") {
    return "These answers belong to another person. Sign in as the one who gave them.";
  }
  return error instanceof Error ? error.message : String(error);
}

function sameForm(a: Form, b: Form): boolean {
  return a === b || (a.answers === b.answers && a.active === b.active && a.typed === b.typed);
}
