import type { ClockReading } from "./contract";

const IDLE_AFTER_MS = 60_000;

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
}

/**
 * Divides the time of one reading. Away: the page is hidden or another window has the focus. Load:
 * until the first pane shows. Idle: in view without input for more than 60 s, from the 60th second.
 * Look: the rest. A pause counts as nothing. All times are milliseconds since the epoch.
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

  /** Starts a reading, or goes on with one: a page that was closed meanwhile counts as away. */
  constructor(now: number, memory: ClockMemory | null = null) {
    this.last = now;
    this.lastInput = now;
    this.shownAt = memory?.shownAt ?? now;
    if (!memory) return;
    this.load = memory.load;
    this.look = memory.look;
    this.idle = memory.idle;
    this.awayTime = memory.away + (memory.paused ? 0 : Math.max(0, now - memory.at));
  }

  loaded(now: number): void {
    if (this.isLoaded) return;
    this.account(now);
    this.isLoaded = true;
    this.lastInput = now;
  }

  input(now: number): void {
    this.account(now);
    this.lastInput = now;
  }

  away(now: number): void {
    this.account(now);
    this.isAway = true;
  }

  back(now: number): void {
    this.account(now);
    this.isAway = false;
    this.lastInput = now;
  }

  pause(now: number): void {
    this.account(now);
    this.isPaused = true;
  }

  /** Goes on after a pause; a reading that was never in view before begins now. */
  resume(now: number): void {
    this.account(now);
    if (this.load + this.look + this.idle + this.awayTime === 0) this.shownAt = now;
    this.isPaused = false;
    this.lastInput = now;
  }

  read(now: number): ClockReading {
    this.account(now);
    return {
      shown_at: new Date(this.shownAt).toISOString(),
      submitted_at: new Date(now).toISOString(),
      load_ms: Math.round(this.load),
      look_ms: Math.round(this.look),
      idle_ms: Math.round(this.idle),
      away_ms: Math.round(this.awayTime),
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
      this.idle += idle;
      this.look += span - idle;
    }
  }
}

/** Milliseconds since the epoch that never run backwards within a page. */
export function monotonicNow(): number {
  return performance.timeOrigin + performance.now();
}
