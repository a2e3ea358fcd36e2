/** The course of one sitting: which case comes, what happens to its answers. */
import type { CaseCache } from "../viewer/cache";
import { seriesOf } from "../viewer/layout";
import type { CaseSource } from "../viewer/loader";
import { type Api, NoConnection, ServerError } from "./api";
import { monotonicNow } from "./clock";
import type {
  CurrentReading,
  FormSpec,
  FullReceipt,
  ReadingCase,
  Receipt,
  StudyState,
  Told,
  Withdrawn,
} from "./contract";
import { CurrentCase, type Screen, type Start } from "./current";
import type { Drafts } from "./drafts";
import { type Form, isComplete, sentAnswers } from "./form";
import type { AnswerQueue, QueuedAnswer } from "./queue";
import type { Sender, SenderEvents } from "./sender";
import type { Notice } from "./views/notices";

const UNDO_GRACE_MS = 60_000;
const IMAGE_RETRY_MS = 10_000;
/** An Enter this soon after the answer arrived was not meant to leave it. */
const FEEDBACK_SETTLE_MS = 500;

/** After a practice case: what is told of it, until the reader goes on. */
export interface Feedback {
  readonly reading: ReadingCase;
  readonly told: readonly Told[];
  readonly since: number;
}

export interface UndoOffer {
  /** Number of the case that can be undone. */
  readonly number: number;
  readonly seconds: number;
}

interface Parts {
  readonly api: Api;
  readonly queue: AnswerQueue;
  readonly drafts: Drafts;
  readonly cache: CaseCache;
  readonly screen: Screen;
  readonly makeSender: (events: SenderEvents) => Sender;
}

export interface SessionHooks {
  changed(): void;
  signIn(otherUser: boolean): void;
}

export class Session implements SenderEvents {
  current: CurrentCase | null = null;
  notice: Notice | null = null;
  feedback: Feedback | null = null;
  paused = false;
  receipt: Receipt | null;
  readonly sender: Sender;
  /** Practice was read, or is read, in this sitting. */
  private practising = false;
  private undoUntil = 0;
  private undoing = false;
  private offlineSince: number | null = null;
  /** Counts what made earlier states stale. */
  private version = 0;
  private opening: string | null = null;
  /** The withdrawn case from which the reader went on. */
  private passed: string | null = null;
  private unwatch: () => void = () => undefined;

  constructor(
    private readonly parts: Parts,
    public server: StudyState,
    private readonly hooks: SessionHooks,
  ) {
    this.sender = parts.makeSender(this);
    this.receipt = server.last_receipt;
    if (!navigator.onLine) this.offlineSince = Date.now();
  }

  /** Takes up answers left by an earlier page and shows the case to read. */
  async start(): Promise<void> {
    const { held } = this.parts.queue;
    if (held && held.reading.token !== this.server.reading?.token) {
      await this.parts.queue.change(held.key, { status: "waiting" });
    }
    await this.retryRefused();
    await this.adopt(this.server);
  }

  // What the views ask.

  get waiting(): readonly QueuedAnswer[] {
    return this.parts.queue.waiting;
  }

  get refused(): readonly QueuedAnswer[] {
    return this.parts.queue.refused;
  }

  get finished(): boolean {
    const { queue } = this.parts;
    if (this.feedback) return false;
    return this.server.reading === null && queue.held === null && this.withdrawn === null;
  }

  /** Practice ended in this sitting, and the study was not begun. */
  get justPractised(): boolean {
    const { part, done } = this.server.progress;
    const over = this.practising && !this.feedback && this.waiting.length === 0;
    return over && !part.training && done === 0;
  }

  /** The reader begins what follows the practice. */
  leavePractice(): void {
    this.practising = false;
  }

  /** The case on screen was withdrawn: it stays, with its form, until the reader goes on. */
  get withdrawn(): Withdrawn | null {
    const { current } = this;
    if (!current || current.submitting || current.token === this.passed) return null;
    return this.server.withdrawn.find(({ token }) => token === current.token) ?? null;
  }

  get disconnectedSince(): number | null {
    return this.sender.failingSince ?? this.offlineSince;
  }

  /** The answer is given, and the next case cannot be shown before the server is reached. */
  get stuck(): boolean {
    if (this.sender.failingSince === null || this.finished) return false;
    return this.current === null || this.current.submitting;
  }

  /** The next case, when all of its images are here. */
  get nextLoaded(): number | null {
    const next = this.following[0];
    if (!next) return null;
    return this.parts.cache.find(next.token)?.complete ? next.number : null;
  }

  /** Share of the next case that is here, 0 to 1; null where none is being loaded. */
  get nextShare(): number | null {
    const next = this.following[0];
    return (next && this.parts.cache.find(next.token)?.loaded) ?? null;
  }

  /** Cases to come that are neither on screen nor answered already. */
  private get following(): readonly ReadingCase[] {
    const { current } = this;
    return this.server.upcoming.filter(
      ({ token }) => token !== current?.token && !this.isWaiting(token),
    );
  }

  get canSave(): boolean {
    const { current } = this;
    return current?.shown === true && !current.submitting && isComplete(current.form);
  }

  /** The number of the case on screen; the server's word is the newest. */
  get number(): number | null {
    const { current, server } = this;
    if (!current) return null;
    return server.reading?.token === current.token ? server.reading.number : current.number;
  }

  /** No case comes after this one in this part of the study. */
  get endsPart(): boolean {
    const { current, server } = this;
    const { part } = server.progress;
    if (!current || current.leadsOn || part.training) return false;
    return (this.number ?? 0) >= part.total;
  }

  /** No case comes after this one, in any part of the study. */
  get isLast(): boolean {
    const { number, of } = this.server.progress.part;
    return this.endsPart && number >= of;
  }

  undoOffer(): UndoOffer | null {
    const local = this.localUndo();
    if (local) {
      const left = local.queuedAt + UNDO_GRACE_MS - monotonicNow();
      return { number: local.reading.number, seconds: Math.ceil(left / 1000) };
    }
    const left = this.undoUntil - Date.now();
    const { undo } = this.server;
    if (!undo || left <= 0 || this.waiting.length > 0 || this.parts.queue.held) return null;
    return { number: undo.number, seconds: Math.ceil(left / 1000) };
  }

  // What the reader does.

  setForm(form: Form): void {
    if (!this.current || this.current.submitting) return;
    this.current.setForm(form);
    this.keepDraft();
    this.hooks.changed();
  }

  keepDraft(): void {
    const { current } = this;
    if (!current || current.submitting) return;
    this.parts.drafts.keep(current.token, {
      answers: current.form.answers,
      active: current.form.active,
      viewer: this.parts.screen.state(),
      extras: this.parts.screen.extras(),
      clock: current.clock.remember(monotonicNow()),
    });
  }

  /** The answer is on disk before it is sent; the same case is never submitted twice. */
  async submit(): Promise<void> {
    const { current } = this;
    if (!current?.settled || !this.canSave) return;
    current.submitting = true;
    this.notice = null;
    try {
      await this.enqueue(current);
    } catch (error) {
      current.submitting = false;
      this.notice = {
        tone: "stop",
        title: "This browser could not keep the answer",
        text: `Nothing was sent and the form is as it was. Save again. (${String(error)})`,
      };
      this.hooks.changed();
      return;
    }
    await this.parts.drafts.drop(current.token);
    this.sender.kick();
    await this.settle();
  }

  private async enqueue(current: CurrentCase): Promise<void> {
    const now = monotonicNow();
    const { correcting } = current.start;
    const body = {
      key: correcting?.key ?? crypto.randomUUID(),
      answers: sentAnswers(current.form),
      clock: current.clock.read(now),
      viewer: this.parts.screen.state(),
    };
    if (!correcting) return this.parts.queue.add(current.start.reading, body, now);
    return this.parts.queue.change(correcting.key, {
      body,
      queuedAt: now,
      status: "waiting",
      edited: correcting.attempts > 0,
      reason: "",
    });
  }

  async undo(): Promise<void> {
    if (this.undoing) return;
    this.undoing = true;
    this.keepDraft();
    const local = this.localUndo();
    if (local) {
      await this.parts.queue.hold(local.key);
      await this.settle();
    } else if (this.undoOffer() && this.server.undo) {
      await this.undoOnServer(this.server.undo.token);
    }
    this.undoing = false;
    this.hooks.changed();
  }

  private async undoOnServer(token: string): Promise<void> {
    try {
      const { state } = await this.parts.api.undo(token);
      await this.adopt(state);
    } catch (error) {
      const lost = error instanceof NoConnection;
      this.notice = {
        tone: "plain",
        title: lost ? "Undo needs the connection" : "This case can no longer be undone",
        text: lost ? "The saved answer stands." : (error as Error).message,
      };
    }
  }

  /** Leaves a practice case and what was told of it. */
  async passFeedback(): Promise<void> {
    if (!this.feedback || monotonicNow() - this.feedback.since < FEEDBACK_SETTLE_MS) return;
    this.feedback = null;
    await this.settle();
  }

  /** Leaves a withdrawn case for the next one; what was entered stays as a draft. */
  async passWithdrawn(): Promise<void> {
    if (!this.withdrawn) return;
    this.keepDraft();
    this.parts.drafts.flush();
    this.passed = this.withdrawn.token;
    await this.settle();
  }

  /** Sees now and then whether the case on screen is still to be read. */
  look(): void {
    if (this.current?.submitting === false && this.disconnectedSince === null) void this.refresh();
  }

  pause(): void {
    if (this.paused) return;
    this.paused = true;
    this.current?.clock.pause(monotonicNow());
    this.keepDraft();
    this.parts.api.pause().catch(() => undefined);
    this.hooks.changed();
  }

  resume(): void {
    this.paused = false;
    this.current?.clock.resume(monotonicNow());
    this.parts.api.resume().catch(() => undefined);
    this.hooks.changed();
  }

  imageShown(): void {
    if (!this.current) return;
    this.current.shown = true;
    this.current.clock.loaded(monotonicNow());
    this.hooks.changed();
  }

  // What happens around.

  connectionChanged(online: boolean): void {
    this.offlineSince = online ? null : (this.offlineSince ?? Date.now());
    if (online) this.reconnect();
    this.hooks.changed();
  }

  /** After the connection or the sign-in is back: send, load, and see what the server says. */
  reconnect(): void {
    this.sender.kick();
    this.retryImages();
    void this.refresh();
  }

  retryImages(): void {
    const images = this.current?.images;
    if (images && !images.complete) images.start("high");
    this.prefetch();
    this.hooks.changed();
  }

  /** Asks the server where the reader is; an answer sent meanwhile makes the reply stale. */
  async refresh(): Promise<void> {
    const version = this.version;
    try {
      const state = await this.parts.api.state();
      if (version === this.version) await this.adopt(state);
    } catch (error) {
      if (error instanceof ServerError && error.status === 401) this.hooks.signIn(false);
      if (error instanceof ServerError && error.code === "other_user") this.hooks.signIn(true);
    }
  }

  onReceipt({ reading }: QueuedAnswer, receipt: FullReceipt, state: StudyState): void {
    this.receipt = receipt;
    const { done, total, breaks } = state.progress.part;
    if (receipt.late) {
      this.notice = {
        tone: "wait",
        title: `Case ${reading.number} was kept as late`,
        text: receipt.reason,
      };
    } else if (breaks.includes(done) && done === this.server.progress.part.done + 1) {
      this.notice = {
        tone: "plain",
        title: "A good moment for a break",
        text: `${done} of ${total} cases are read. P pauses; or go on.`,
      };
    }
    const told = receipt.feedback ?? null;
    // What is told belongs beside its own image; after a reload that is gone.
    if (told && this.current?.token === reading.token) {
      this.feedback = { reading, told, since: monotonicNow() };
    }
    void this.adopt(state);
  }

  onConflict(answer: QueuedAnswer, message: string, state: StudyState | null): void {
    this.notice = {
      tone: "wait",
      title: `Case ${answer.reading.number} had been answered before`,
      text: message,
    };
    if (state) void this.adopt(state);
    else void this.refresh();
  }

  onRefused(answer: QueuedAnswer, message: string): void {
    this.notice = {
      tone: "stop",
      title: `Case ${answer.reading.number}: not accepted`,
      text: `${message} The answer is kept on this computer.`,
    };
    void this.reopenRefused(answer);
  }

  onSignedOut(otherUser: boolean): void {
    this.hooks.signIn(otherUser);
  }

  onChange(): void {
    this.hooks.changed();
  }

  async retryRefused(): Promise<void> {
    for (const { key } of [...this.refused]) {
      await this.parts.queue.change(key, { status: "waiting", reason: "" });
    }
    this.sender.kick();
  }

  // Choosing the case to show.

  private async adopt(state: StudyState): Promise<void> {
    this.version++;
    this.server = state;
    this.practising ||= state.progress.part.training;
    this.undoUntil = Date.now() + (state.undo?.seconds_left ?? 0) * 1000;
    await this.settle();
  }

  /** If the server still wants the refused reading, its answers are opened again to be corrected. */
  private async reopenRefused(answer: QueuedAnswer): Promise<void> {
    await this.refresh();
    if (this.server.reading?.token === answer.reading.token) {
      await this.parts.queue.hold(answer.key);
      await this.settle();
    }
  }

  private isWaiting(token: string): boolean {
    return this.parts.queue.find(token)?.status === "waiting";
  }

  private choose(): Start | "wait" | null {
    const { held } = this.parts.queue;
    if (held) {
      const { answers, viewer } = held.body;
      return { ...startOf(held.reading), answers, viewer, correcting: held };
    }
    if (this.withdrawn || this.feedback) return "wait";
    const { reading } = this.server;
    if (!reading) return null;
    return this.isWaiting(reading.token) ? this.chooseAhead(reading) : startOf(reading);
  }

  /** The answer to the present case is on its way: the next one, if it is loaded. */
  private chooseAhead({ stage, stages, training }: ReadingCase): Start | "wait" {
    // A further step, or what is told of a practice case, comes before any other case.
    if (stage < stages || training) return "wait";
    const next = this.server.upcoming.find(({ token }) => !this.isWaiting(token));
    if (!next) return "wait";
    const ready = this.parts.cache.find(next.token)?.complete ?? false;
    return ready || this.current?.token === next.token ? startOf(next) : "wait";
  }

  private async settle(): Promise<void> {
    const chosen = this.choose();
    if (chosen === null) this.leave();
    else if (chosen !== "wait" && !this.isOpen(chosen)) await this.open(chosen);
    this.prefetch();
    this.hooks.changed();
  }

  private isOpen({ reading, correcting }: Start): boolean {
    const { current } = this;
    const same = current?.token === reading.token && !current.submitting;
    return same && current.start.correcting?.key === correcting?.key;
  }

  private leave(): void {
    this.opening = null;
    if (this.current) this.parts.screen.close();
    this.current = null;
  }

  private async open(chosen: Start): Promise<void> {
    const { token } = chosen.reading;
    if (this.opening === token) return;
    this.opening = token;
    const local = await this.parts.drafts.find(token);
    if (this.opening !== token) return;
    this.opening = null;
    const before = this.current;
    const images = this.parts.cache.open(this.source(chosen.reading));
    const { form } = chosen.reading;
    this.current = new CurrentCase(chosen, images, this.formSpec(form).questions, local);
    if (this.paused || this.justPractised) this.current.clock.pause(monotonicNow());
    if (document.hidden) this.current.clock.away(monotonicNow(), "hidden");
    else if (!document.hasFocus()) this.current.clock.away(monotonicNow());
    this.unwatch();
    this.unwatch = images.onChange(() => this.imagesChanged());
    const extras = local?.extras ?? this.extrasBefore(before, chosen.reading);
    this.parts.screen.open(form, images, local?.viewer ?? chosen.viewer, extras);
  }

  /** A further step of a case shows the same place at the same zoom. */
  private extrasBefore(before: CurrentCase | null, { stage, number }: ReadingCase) {
    const follows = before?.number === number && before.reading.stage === stage - 1;
    return follows ? this.parts.screen.extras() : null;
  }

  private imagesChanged(): void {
    const failure = this.current?.images.failure;
    if (failure?.kind === "signed_out") this.hooks.signIn(false);
    if (failure?.kind === "gone") void this.caseGone();
    if (failure?.kind === "network") setTimeout(() => this.retryImages(), IMAGE_RETRY_MS);
    this.prefetch();
    this.hooks.changed();
  }

  /** The server no longer gives the images: the case was withdrawn, or another window went on. */
  private async caseGone(): Promise<void> {
    const before = this.current;
    await this.refresh();
    if (!before || this.current?.token === before.token) return;
    this.notice = {
      tone: "wait",
      title: `Case ${before.number} is no longer to be read`,
      text: "It was withdrawn or answered in another window. This is the next case.",
    };
    this.hooks.changed();
  }

  /**
   * Loads the next case when the present one is complete or answered already, then what is painted
   * first of the one after it. A case whose answer is still on its way stays, to be undone here.
   */
  private prefetch(): void {
    const { current } = this;
    const [next, after] = this.following;
    // The next step of this case comes first, and is not told before.
    if (!next || this.keepsAnswered || current?.leadsOn) return;
    if (current && !current.submitting && !current.images.complete) return;
    const known = this.parts.cache.find(next.token) !== null;
    const second = after ? this.source(after) : null;
    const images = this.parts.cache.prefetch(this.source(next), second);
    if (known) return;
    images.onChange(() => {
      if (images.complete && this.current?.submitting !== false) void this.settle();
      if (images.complete && this.current?.images !== images) this.prefetch();
      this.hooks.changed();
    });
  }

  private get keepsAnswered(): boolean {
    return this.waiting.some(
      ({ reading }) =>
        reading.token !== this.current?.token && this.parts.cache.find(reading.token) !== null,
    );
  }

  /** An answer kept by an older page knows no form; it was the first. */
  private formSpec(form: number | undefined): FormSpec {
    return this.server.forms[form ?? 0] as FormSpec;
  }

  private source(reading: ReadingCase): CaseSource {
    const { layout } = this.formSpec(reading.form);
    return { key: reading.token, images: reading.images, series: seriesOf(layout) };
  }

  /** Without a connection, the last queued answer can be taken back on this computer. */
  private localUndo(): QueuedAnswer | null {
    const last = this.waiting.at(-1);
    if (!last || this.sender.failingSince === null || this.sender.isUnderWay(last.key)) return null;
    const fresh = monotonicNow() - last.queuedAt < UNDO_GRACE_MS;
    return fresh && this.parts.cache.find(last.reading.token) ? last : null;
  }
}

function startOf(reading: ReadingCase & Partial<CurrentReading>): Start {
  const { draft, sealed = [] } = reading;
  return {
    reading,
    answers: draft?.answers ?? {},
    viewer: draft?.viewer ?? {},
    correcting: null,
    sealed,
  };
}
