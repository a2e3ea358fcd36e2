/** Sends files part after part; goes on after a lost connection with what the server has. */

import { isOfSystem, type Chosen } from "./files";
import { Lost, Refusal, type Answer, type Server, type Upload } from "./server";
import { Speed } from "./speed";

export type State = "waiting" | "sending" | "done" | "refused";

export interface Item {
  readonly path: string;
  readonly size: number;
  readonly modified: number;
  readonly file: Blob;
  token: string | null;
  received: number;
  state: State;
  error: string;
}

export interface Totals {
  readonly files: number;
  readonly done: number;
  readonly refused: number;
  readonly bytes: number;
  readonly received: number;
}

export interface Options {
  readonly atOnce?: number;
  readonly announceAtOnce?: number;
  readonly wait?: (ms: number) => Promise<void>;
  readonly now?: () => number;
}

const LONGEST_WAIT_MS = 30_000;
const STOPS_ALL = new Set(["disk_full", "not_collecting", "signed_out", "not_allowed"]);
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

export class Uploader {
  readonly items: Item[] = [];
  readonly speed: Speed;
  upload: Upload | null = null;
  /** Why nothing more is sent, until `goOn`. */
  stopped = "";
  /** When the next attempt after a lost connection is made; 0 while all is well. */
  retryAt = 0;
  passedOver = 0;

  private readonly byPath = new Map<string, Item>();
  private readonly queue: Item[] = [];
  private active = 0;
  private cancelled = false;
  private failures = 0;
  private opening: Promise<Upload> | null = null;
  private readonly atOnce: number;
  private readonly announceAtOnce: number;
  private readonly wait: (ms: number) => Promise<void>;
  private readonly now: () => number;

  constructor(
    private readonly server: Server,
    private readonly changed: () => void,
    options: Options = {},
  ) {
    this.atOnce = options.atOnce ?? 3;
    this.announceAtOnce = options.announceAtOnce ?? 500;
    this.wait = options.wait ?? sleep;
    this.now = options.now ?? (() => performance.now());
    this.speed = new Speed(this.now);
  }

  /** Takes files in; one that was chosen before is not taken twice. */
  async add(chosen: readonly Chosen[]): Promise<void> {
    const fresh: Item[] = [];
    for (const { path, file } of chosen) {
      if (isOfSystem(path)) {
        this.passedOver += 1;
        continue;
      }
      const known = this.byPath.get(path);
      if (known && known.state !== "refused") continue;
      const item = itemOf(path, file);
      if (known) this.items.splice(this.items.indexOf(known), 1, item);
      else this.items.push(item);
      this.byPath.set(path, item);
      fresh.push(item);
    }
    this.changed();
    for (let start = 0; start < fresh.length; start += this.announceAtOnce) {
      await this.announce(fresh.slice(start, start + this.announceAtOnce));
      this.fill();
    }
  }

  /** Files that the server has not been told of, because it takes no more. */
  get unannounced(): Item[] {
    return this.items.filter((item) => item.state === "waiting" && !item.token);
  }

  /** Goes on after something was put right, such as an ended sign-in. */
  goOn(): void {
    this.stopped = "";
    void this.announce(this.unannounced).then(() => this.fill());
    this.changed();
  }

  /** Goes on with the files that the server has taken on, without the others. */
  goOnWithoutRest(): void {
    this.stopped = "";
    const rest = new Set(this.unannounced);
    const kept = this.items.filter((item) => !rest.has(item));
    this.items.splice(0, this.items.length, ...kept);
    for (const item of rest) this.byPath.delete(item.path);
    this.fill();
    this.changed();
  }

  async remove(item: Item): Promise<void> {
    this.items.splice(this.items.indexOf(item), 1);
    this.byPath.delete(item.path);
    item.state = "refused";
    this.changed();
    if (item.token) await this.server.leaveOut(item.token).catch(() => undefined);
  }

  async cancel(): Promise<void> {
    this.cancelled = true;
    await this.server.cancel();
  }

  get totals(): Totals {
    const taken = this.items.filter((item) => item.state !== "refused");
    return {
      files: taken.length,
      done: taken.filter((item) => item.state === "done").length,
      refused: this.items.length - taken.length,
      bytes: taken.reduce((sum, item) => sum + item.size, 0),
      received: taken.reduce((sum, item) => sum + item.received, 0),
    };
  }

  get busy(): boolean {
    return this.items.some((item) => item.state === "waiting" || item.state === "sending");
  }

  private async announce(items: readonly Item[]): Promise<void> {
    if (items.length === 0) return;
    const answers = await this.patiently(async () => {
      await this.opened();
      return this.server.announce(
        items.map(({ path, size, modified }) => ({ path, size, modified })),
      );
    });
    if (!answers) return;
    items.forEach((item, index) => take(item, answers[index]));
    this.queue.push(...items.filter((item) => item.state === "waiting"));
    this.changed();
  }

  private opened(): Promise<Upload> {
    this.opening ??= this.server.open().then(
      (upload) => (this.upload = upload),
      (error: unknown) => {
        this.opening = null;
        throw error;
      },
    );
    return this.opening;
  }

  private fill(): void {
    while (this.active < this.atOnce && !this.stopped && !this.cancelled) {
      const next = this.queue.shift();
      if (!next) return;
      if (next.state !== "waiting") continue;
      next.state = "sending";
      this.active += 1;
      void this.send(next).finally(() => {
        this.active -= 1;
        this.changed();
        this.fill();
      });
    }
  }

  private async send(item: Item): Promise<void> {
    const size = (this.upload as Upload).part_bytes;
    while (item.received < item.size && item.state === "sending" && !this.cancelled) {
      const offset = item.received;
      const part = item.file.slice(offset, Math.min(item.size, offset + size));
      const received = await this.patiently(() => this.part(item, offset, part), item);
      if (received === null) return;
      this.speed.add(Math.max(0, received - offset));
      item.received = received;
      this.changed();
    }
    if (item.state === "sending" && item.received === item.size) item.state = "done";
  }

  /** Sends one part; where the server has more or less than thought, says how much. */
  private async part(item: Item, offset: number, part: Blob): Promise<number> {
    const token = item.token as string;
    try {
      return await this.server.send(token, offset, part);
    } catch (error) {
      if (error instanceof Refusal && error.code === "offset" && error.received !== null) {
        return error.received;
      }
      if (error instanceof Refusal && error.code === "damaged") throw new Lost(error.message);
      throw error;
    }
  }

  /** Tries until it works; null where it never will. */
  private async patiently<T>(attempt: () => Promise<T>, item?: Item): Promise<T | null> {
    for (let tries = 0; !this.cancelled; tries += 1) {
      try {
        const result = await attempt();
        this.failures = 0;
        this.retryAt = 0;
        return result;
      } catch (error) {
        if (!(error instanceof Lost)) return this.gaveUp(error, item);
        await this.pause();
      }
    }
    return null;
  }

  private async pause(): Promise<void> {
    const ms = Math.min(LONGEST_WAIT_MS, 1000 * 2 ** this.failures);
    this.failures += 1;
    this.retryAt = this.now() + ms;
    this.changed();
    await this.wait(ms);
  }

  private gaveUp(error: unknown, item?: Item): null {
    const message = error instanceof Refusal ? error.message : unreadable(error);
    const all = error instanceof Refusal && (STOPS_ALL.has(error.code) || !item);
    if (all) this.stopped = message;
    if (item) {
      item.state = all ? "waiting" : "refused";
      item.error = all ? "" : message;
      if (all) this.queue.unshift(item);
    }
    this.changed();
    return null;
  }
}

function itemOf(path: string, file: File): Item {
  return {
    path,
    size: file.size,
    modified: file.lastModified,
    file,
    token: null,
    received: 0,
    state: "waiting",
    error: "",
  };
}

function take(item: Item, answer: Answer | undefined): void {
  if (!answer?.token) {
    item.state = "refused";
    item.error = answer?.error ?? "The server did not answer for this file.";
    return;
  }
  item.token = answer.token;
  item.received = answer.received ?? 0;
  if (item.received === item.size) item.state = "done";
}

function unreadable(error: unknown): string {
  const name = error instanceof Error ? error.name : "";
  return name === "NotReadableError" || name === "NotFoundError"
    ? "The file cannot be read any more. Was it moved or changed? Choose it again."
    : "The file could not be sent. Choose it again.";
}
