import type { ClockEvent, ClockReading } from "./contract";

const IDLE_AFTER_MS = 60_000;
/** Inputs closer than this are one burst. */
const BURST_GAP_MS = 2000;
const MOST_EVENTS = 400;

/** The rule by which times are divided; docs/how-to/reading-times.md says it in words. */
export const RULE = "reading-times/3";

/** What survives a reload of the page. */
export interface ClockMemory {
  readonly shownAt: number;
  readonly load: number;
  readonly look: number;
  readonly idle: number;
  readonly away: number;
  readonly paused: boolean;
  /** When this was written. */
  readonly at: number;
  /** The answer was saved then, and was taken back since. */
  readonly saved?: boolean;
  readonly events?: readonly ClockEvent[];
  readonly dropped?: number;
}

/** Why the reader is not at the page. */
export type AwayReason = "hidden" | "blur";

/**
 * Divides the time of one reading. Away: the page is hidden or another window has the focus. Load:
 * until the first pane shows. Idle: in view without input for more than 60 s, from the 60th second.
 * Look: the rest. A pause counts as nothing, and so does the time between saving and undoing. All times are milliseconds since the epoch; the raw
 * events behind the division are kept, in milliseconds since the case was shown.
 */
export class Clock {
  private shownAt: number;
  private load = 0;
  private look = 0;
  private idle = 0;
  private awayTime = 0;
  private last: number;
  private lastInput: number;
  private isLoaded = false;
  private isAway = false;
  private isPaused = false;
  private isIdle = false;
  private events: ClockEvent[] = [];
  private dropped = 0;
  private burst: { from: number; to: number; inputs: number } | null = null;

  /** Starts a reading, or goes on with one: a page that was closed meanwhile counts as away. */
  constructor(now: number, memory: ClockMemory | null = null) {
    this.last = now;
    this.lastInput = now;
    this.shownAt = memory?.shownAt ?? now;
    if (!memory) return;
    this.load = memory.load;
    this.look = memory.look;
    this.idle = memory.idle;
    this.events = [...(memory.events ?? [])];
    this.dropped = memory.dropped ?? 0;
    this.note(memory.at, memory.saved ? "saved" : "closed");
    this.note(now, memory.saved ? "undone" : "opened");
    const counts = !memory.paused && !memory.saved;
    this.awayTime = memory.away + (counts ? Math.max(0, now - memory.at) : 0);
  }

  loaded(now: number): void {
    if (this.isLoaded) return;
    this.account(now);
    this.isLoaded = true;
    this.lastInput = now;
    this.note(now, "loaded");
  }

  input(now: number): void {
    this.account(now);
    this.endIdle(now);
    this.lastInput = now;
    if (this.isPaused) return;
    if (this.burst && now - this.burst.to > BURST_GAP_MS) this.endBurst();
    this.burst ??= { from: now, to: now, inputs: 0 };
    this.burst.to = now;
    this.burst.inputs++;
  }

  away(now: number, reason: AwayReason = "blur"): void {
    this.account(now);
    if (!this.isAway) this.note(now, reason);
    this.isAway = true;
    this.isIdle = false;
  }

  back(now: number): void {
    this.account(now);
    if (this.isAway) this.note(now, "back");
    this.isAway = false;
    this.lastInput = now;
  }

  pause(now: number): void {
    this.account(now);
    if (!this.isPaused) this.note(now, "pause");
    this.isPaused = true;
    this.isIdle = false;
  }

  /** Goes on after a pause; a reading that was never in view before begins now. */
  resume(now: number): void {
    this.account(now);
    if (this.isPaused) this.note(now, "resume");
    if (Math.round(this.load + this.look + this.idle + this.awayTime) === 0) this.restart(now);
    this.isPaused = false;
    this.lastInput = now;
  }

  read(now: number): ClockReading {
    this.account(now);
    this.endBurst();
    return {
      rule: RULE,
      shown_at: new Date(this.shownAt).toISOString(),
      submitted_at: new Date(now).toISOString(),
      load_ms: Math.round(this.load),
      look_ms: Math.round(this.look),
      idle_ms: Math.round(this.idle),
      away_ms: Math.round(this.awayTime),
      events: this.events,
      events_dropped: this.dropped,
    };
  }

  remember(now: number): ClockMemory {
    this.account(now);
    return {
      shownAt: this.shownAt,
      load: this.load,
      look: this.look,
      idle: this.idle,
      away: this.awayTime,
      paused: this.isPaused,
      at: now,
      events: this.burst ? [...this.events, this.burstEvent(this.burst)] : this.events,
      dropped: this.dropped,
    };
  }

  private account(now: number): void {
    const span = Math.max(0, now - this.last);
    if (!this.isPaused) this.divide(span, now);
    this.last = Math.max(this.last, now);
  }

  private divide(span: number, now: number): void {
    if (this.isAway) this.awayTime += span;
    else if (!this.isLoaded) this.load += span;
    else {
      const idleSince = Math.max(this.last, this.lastInput + IDLE_AFTER_MS);
      const idle = Math.min(span, Math.max(0, now - idleSince));
      if (idle > 0) this.beginIdle(idleSince);
      this.idle += idle;
      this.look += span - idle;
    }
  }

  private restart(now: number): void {
    this.shownAt = now;
    this.events = [];
    this.dropped = 0;
    if (this.isLoaded) this.note(now, "loaded");
  }

  // Raw events.

  private beginIdle(since: number): void {
    if (this.isIdle) return;
    this.isIdle = true;
    this.note(since, "idle");
  }

  private endIdle(now: number): void {
    if (this.isIdle) this.note(now, "active");
    this.isIdle = false;
  }

  private note(at: number, what: string): void {
    this.endBurst();
    this.keep([Math.round(at - this.shownAt), what]);
  }

  private endBurst(): void {
    const { burst } = this;
    this.burst = null;
    if (burst) this.keep(this.burstEvent(burst));
  }

  private burstEvent({
    from,
    to,
    inputs,
  }: {
    from: number;
    to: number;
    inputs: number;
  }): ClockEvent {
    return [Math.round(from - this.shownAt), "input", Math.round(to - from), inputs];
  }

  private keep(event: ClockEvent): void {
    if (this.events.length < MOST_EVENTS) this.events = [...this.events, event];
    else this.dropped++;
  }
}

/** The clock of a saved answer, to go on with; other cases were on screen since. */
export function memoryOf(saved: ClockReading): ClockMemory {
  return {
    shownAt: Date.parse(saved.shown_at),
    load: saved.load_ms,
    look: saved.look_ms,
    idle: saved.idle_ms,
    away: saved.away_ms,
    paused: false,
    saved: true,
    at: Date.parse(saved.submitted_at),
    events: saved.events,
    dropped: saved.events_dropped,
  };
}

/** Milliseconds since the epoch that never run backwards within a page. */
export function monotonicNow(): number {
  return performance.timeOrigin + performance.now();
}
