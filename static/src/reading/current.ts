/** The case on screen: its form, its clock and its images. */
import type { CaseImages } from "../viewer/loader";
import type { ViewerExtras, ViewerState } from "../viewer/state";
import { Clock, memoryOf, monotonicNow } from "./clock";
import type { Answers, Question, ReadingCase, SealedStep } from "./contract";
import type { LocalDraft } from "./drafts";
import { type Form, newForm } from "./form";
import type { QueuedAnswer } from "./queue";

/** What the session needs from the panes. */
export interface Screen {
  /** Shows a case in the panes of its form. */
  open(form: number, images: CaseImages, state: ViewerState, extras: ViewerExtras | null): void;
  close(): void;
  state(): ViewerState;
  extras(): ViewerExtras;
}

export interface Start {
  readonly reading: ReadingCase;
  readonly answers: Answers;
  readonly viewer: ViewerState;
  /** A queued answer that is being corrected. */
  readonly correcting: QueuedAnswer | null;
  /** Answers of the steps before. */
  readonly sealed: readonly SealedStep[];
}

/** An Enter this soon after the last one was meant for the case before. */
const SETTLE_MS = 500;

export class CurrentCase {
  readonly clock: Clock;
  form: Form;
  submitting = false;
  shown = false;
  private changed = false;
  private readonly openedAt = monotonicNow();

  constructor(
    readonly start: Start,
    readonly images: CaseImages,
    questions: readonly Question[],
    local: LocalDraft | null,
  ) {
    const form = newForm(questions, local?.answers ?? start.answers);
    this.form = local ? { ...form, active: local.active } : form;
    const saved = start.correcting ? memoryOf(start.correcting.body.clock) : null;
    this.clock = new Clock(monotonicNow(), local?.clock ?? saved);
  }

  get token(): string {
    return this.start.reading.token;
  }

  get reading(): ReadingCase {
    return this.start.reading;
  }

  /** The number that the reader sees. */
  get number(): number {
    return this.reading.number;
  }

  /** Is there a further step, sealed until this one is answered? */
  get leadsOn(): boolean {
    return this.reading.stage < this.reading.stages;
  }

  setForm(form: Form): void {
    if (form.answers !== this.form.answers) this.changed = true;
    this.form = form;
  }

  /** Guards against an Enter that repeats. */
  get settled(): boolean {
    return this.changed || monotonicNow() - this.openedAt > SETTLE_MS;
  }
}
