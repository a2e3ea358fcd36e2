import { NoConnection, ServerError } from "./api";
import type { FullReceipt, StudyState, Submission, SubmissionReply } from "./contract";
import type { AnswerQueue, QueuedAnswer } from "./queue";

export interface SenderApi {
  submit(token: string, body: Submission): Promise<SubmissionReply>;
  undo(token: string): Promise<{ state: StudyState }>;
}

export interface SenderEvents {
  onReceipt(answer: QueuedAnswer, receipt: FullReceipt, state: StudyState): void;
  /** The reading had been answered before; this answer was handed over as well. */
  onConflict(answer: QueuedAnswer, message: string, state: StudyState | null): void;
  onRefused(answer: QueuedAnswer, message: string): void;
  onSignedOut(otherUser: boolean): void;
  /** Anything a view may show has changed. */
  onChange(): void;
}

export interface SenderClock {
  now(): number;
  later(ms: number, run: () => void): number;
  cancel(timer: number): void;
}

export const browserClock: SenderClock = {
  now: () => Date.now(),
  later: (ms, run) => window.setTimeout(run, ms),
  cancel: (timer) => window.clearTimeout(timer),
};

const FIRST_DELAY_MS = 1000;
const LONGEST_DELAY_MS = 30_000;

/** Sends the queue in order, one at a time, until each answer has its receipt. */
export class Sender {
  /** Key of the answer under way, and since when. */
  sending: { readonly key: string; readonly since: number } | null = null;
  /** Since when nothing reaches the server. */
  failingSince: number | null = null;
  signedOut = false;
  private delay = FIRST_DELAY_MS;
  private timer: number | null = null;

  constructor(
    private readonly queue: AnswerQueue,
    private readonly api: SenderApi,
    private readonly events: SenderEvents,
    private readonly clock: SenderClock = browserClock,
    private readonly newKey: () => string = () => crypto.randomUUID(),
  ) {}

  /** Sends now whatever waits; also after a connection or a sign-in came back. */
  kick(): void {
    this.delay = FIRST_DELAY_MS;
    this.signedOut = false;
    void this.run();
  }

  isUnderWay(key: string): boolean {
    return this.sending?.key === key;
  }

  private async run(): Promise<void> {
    this.cancelRetry();
    if (this.sending) return;
    for (;;) {
      const next = this.queue.waiting[0];
      if (!next || this.signedOut || this.waitsForRetry) return;
      await this.send(next);
    }
  }

  private get waitsForRetry(): boolean {
    return this.timer !== null;
  }

  private cancelRetry(): void {
    if (this.timer !== null) this.clock.cancel(this.timer);
    this.timer = null;
  }

  private async send(answer: QueuedAnswer): Promise<void> {
    this.sending = { key: answer.key, since: this.clock.now() };
    this.events.onChange();
    try {
      await this.queue.change(answer.key, { attempts: answer.attempts + 1 });
      const reply = await this.api.submit(answer.reading.token, answer.body);
      this.reached();
      await this.queue.remove(answer.key);
      this.sending = null;
      this.events.onReceipt(answer, reply.receipt, reply.state);
    } catch (error) {
      this.sending = null;
      await this.failed(answer, error);
    }
    this.events.onChange();
  }

  private async failed(answer: QueuedAnswer, error: unknown): Promise<void> {
    if (!(error instanceof ServerError) || isPassing(error)) {
      if (!(error instanceof ServerError) && !(error instanceof NoConnection)) console.error(error);
      this.waitBeforeRetry(error instanceof ServerError ? error.retryAfterMs : null);
      return;
    }
    this.reached();
    if (error.status === 401 || ["signed_out", "other_user"].includes(error.code)) {
      this.signedOut = true;
      this.events.onSignedOut(error.code === "other_user");
    } else if (error.status === 409) {
      await this.conflict(answer, error);
    } else {
      await this.queue.change(answer.key, { status: "refused", reason: error.message });
      this.events.onRefused(answer, error.message);
    }
  }

  /**
   * A corrected answer whose first version had reached the server after all: undo it there and send
   * the correction under a key of its own. Any other conflict is settled by the server's state.
   */
  private async conflict(answer: QueuedAnswer, error: ServerError): Promise<void> {
    if (error.code === "key_reused" && answer.edited) {
      const undone = await this.api.undo(answer.reading.token).catch((reason: unknown) => reason);
      if (undone instanceof NoConnection || (undone instanceof ServerError && isPassing(undone))) {
        this.waitBeforeRetry(null);
      } else {
        await this.queue.rekey(answer.key, this.newKey());
      }
      return;
    }
    await this.queue.remove(answer.key);
    this.events.onConflict(answer, error.message, error.state);
  }

  private reached(): void {
    this.failingSince = null;
    this.delay = FIRST_DELAY_MS;
  }

  private waitBeforeRetry(serverDelay: number | null): void {
    this.failingSince ??= this.clock.now();
    const delay = Math.max(serverDelay ?? 0, this.delay);
    this.delay = Math.min(LONGEST_DELAY_MS, this.delay * 2);
    this.timer = this.clock.later(delay, () => {
      this.timer = null;
      void this.run();
    });
  }
}

/** Failures that time heals: overload, restart, a proxy without its server, a lost token. */
function isPassing(error: ServerError): boolean {
  const noReason = error.status === 403 && error.code === "";
  return error.status >= 500 || error.status === 408 || error.status === 429 || noReason;
}
