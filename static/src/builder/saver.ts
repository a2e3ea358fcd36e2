/** Saves the open question a moment after the last change, and says what became of it. */
import { timeOfDay } from "../reading/words";

export interface Saved {
  readonly saved_at: string;
  readonly preview: string;
  readonly misfits: readonly string[];
  readonly rows: readonly { readonly code: string; readonly kind: string }[];
  readonly seconds: number;
}

const WAIT_MS = 700;
const UNREACHABLE = "The server cannot be reached. What you typed stays here; it is tried again.";
const AGAIN_MS = 4000;

export class Saver {
  private timer: number | undefined;
  private dirty = false;
  private running = false;

  constructor(
    private readonly form: HTMLFormElement,
    private readonly told: {
      saved(saved: Saved): void;
      refused(errors: readonly string[]): void;
      state(text: string): void;
    },
  ) {}

  changed(): void {
    this.dirty = true;
    this.told.state("Not saved yet");
    this.later(WAIT_MS);
  }

  /** The page is left: what is typed still goes out. */
  leave(): void {
    if (this.dirty) void this.send(true);
  }

  /** The form itself is sent now. */
  forget(): void {
    this.dirty = false;
    window.clearTimeout(this.timer);
  }

  private later(ms: number): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.save(), ms);
  }

  private async save(): Promise<void> {
    if (this.running) return this.later(WAIT_MS);
    this.running = true;
    this.dirty = false;
    try {
      await this.take(await this.send(false));
    } catch {
      this.dirty = true;
      this.told.state("Not saved");
      this.told.refused([UNREACHABLE]);
      this.later(AGAIN_MS);
    } finally {
      this.running = false;
    }
  }

  private send(keepalive: boolean): Promise<Response> {
    return fetch(this.form.action, {
      method: "POST",
      body: new FormData(this.form),
      headers: { Accept: "application/json" },
      redirect: "error",
      keepalive,
    });
  }

  private async take(response: Response): Promise<void> {
    const answer = (await response.json()) as Partial<Saved> & { errors?: Record<string, string> };
    if (answer.errors) {
      this.told.state("Not saved");
      return this.told.refused(Object.values(answer.errors));
    }
    const saved = answer as Saved;
    this.told.state(`Saved ${timeOfDay(saved.saved_at)}`);
    this.told.saved(saved);
  }
}
