/** Answers on their way to the server, on disk before the first attempt to send them. */
import { ANSWERS, transact } from "../shared/database";
import type { ReadingCase, Submission } from "./contract";

export interface QueuedAnswer {
  readonly key: string;
  /** Enrolment and user; nobody else's page sends this answer. */
  readonly owner: string;
  readonly reading: ReadingCase;
  readonly body: Submission;
  readonly queuedAt: number;
  readonly attempts: number;
  /** Held while its reader corrects it; refused when the server will not take it. */
  readonly status: "waiting" | "held" | "refused";
  /** Changed after an attempt whose outcome is unknown. */
  readonly edited: boolean;
  readonly reason: string;
}

export interface AnswerStore {
  all(owner: string): Promise<QueuedAnswer[]>;
  put(answer: QueuedAnswer): Promise<void>;
  remove(key: string): Promise<void>;
}

export function databaseStore(database: IDBDatabase): AnswerStore {
  return {
    all: (owner) =>
      transact(database, ANSWERS, "readonly", (store) => store.index("owner").getAll(owner)),
    put: async (answer) => {
      await transact(database, ANSWERS, "readwrite", (store) => store.put(answer));
    },
    remove: (key) => transact(database, ANSWERS, "readwrite", (store) => store.delete(key)),
  };
}

/** Keeps nothing beyond the page; used where the browser refuses its database. */
export function memoryStore(): AnswerStore {
  const kept = new Map<string, QueuedAnswer>();
  return {
    all: (owner) => Promise.resolve([...kept.values()].filter((answer) => answer.owner === owner)),
    put: (answer) => Promise.resolve(void kept.set(answer.key, answer)),
    remove: (key) => Promise.resolve(void kept.delete(key)),
  };
}

export class AnswerQueue {
  private answers: QueuedAnswer[] = [];

  constructor(
    private readonly store: AnswerStore,
    readonly owner: string,
  ) {}

  async load(): Promise<void> {
    const found = await this.store.all(this.owner);
    this.answers = found.sort((a, b) => a.queuedAt - b.queuedAt);
  }

  get all(): readonly QueuedAnswer[] {
    return this.answers;
  }

  get waiting(): readonly QueuedAnswer[] {
    return this.answers.filter(({ status }) => status === "waiting");
  }

  get held(): QueuedAnswer | null {
    return this.answers.find(({ status }) => status === "held") ?? null;
  }

  get refused(): readonly QueuedAnswer[] {
    return this.answers.filter(({ status }) => status === "refused");
  }

  find(token: string): QueuedAnswer | null {
    return this.answers.find(({ reading }) => reading.token === token) ?? null;
  }

  async add(reading: ReadingCase, body: Submission, queuedAt: number): Promise<void> {
    await this.write({
      key: body.key,
      owner: this.owner,
      reading,
      body,
      queuedAt,
      attempts: 0,
      status: "waiting",
      edited: false,
      reason: "",
    });
  }

  /** Keeps an answer from being sent, from this moment on. */
  async hold(key: string): Promise<void> {
    this.answers = this.answers.map((answer) =>
      answer.key === key ? { ...answer, status: "held" } : answer,
    );
    const held = this.held;
    if (held?.key === key) await this.store.put(held);
  }

  /** Changes fields of an answer; on disk before it counts. */
  async change(key: string, changes: Partial<Omit<QueuedAnswer, "key" | "owner">>): Promise<void> {
    const found = this.answers.find((answer) => answer.key === key);
    if (found) await this.write({ ...found, ...changes });
  }

  /** Gives an answer a new key, as a new submission. */
  async rekey(key: string, newKey: string): Promise<void> {
    const found = this.answers.find((answer) => answer.key === key);
    if (!found) return;
    await this.write({
      ...found,
      key: newKey,
      body: { ...found.body, key: newKey },
      edited: false,
    });
    await this.remove(key);
  }

  async remove(key: string): Promise<void> {
    await this.store.remove(key);
    this.answers = this.answers.filter((answer) => answer.key !== key);
  }

  private async write(answer: QueuedAnswer): Promise<void> {
    await this.store.put(answer);
    const others = this.answers.filter(({ key }) => key !== answer.key);
    this.answers = [...others, answer].sort((a, b) => a.queuedAt - b.queuedAt);
  }
}
