/** The half-filled form and the picture, kept on this computer at once and on the server after 1 s. */
import { DRAFTS, transact } from "../shared/database";
import type { ViewerExtras, ViewerState } from "../viewer/state";
import type { ClockMemory } from "./clock";
import type { Answers } from "./contract";

export interface LocalDraft {
  readonly id: string;
  readonly answers: Answers;
  readonly active: number;
  readonly viewer: ViewerState;
  readonly extras: ViewerExtras;
  readonly clock: ClockMemory;
}

const DATABASE_DELAY_MS = 250;
const SERVER_DELAY_MS = 1000;

type SaveOnServer = (token: string, answers: Answers, viewer: ViewerState) => Promise<void>;

export class Drafts {
  private databaseTimer: number | null = null;
  private serverTimer = 0;
  private latest: { readonly token: string; readonly draft: LocalDraft } | null = null;

  constructor(
    private readonly database: IDBDatabase | null,
    private readonly owner: string,
    private readonly saveOnServer: SaveOnServer,
  ) {}

  /**
   * Keeps a draft: at once for this tab, soon for this computer however fast changes follow one
   * another, and for the server when they have stopped for a second.
   */
  keep(token: string, draft: Omit<LocalDraft, "id">): void {
    const kept = { ...draft, id: this.id(token) };
    this.latest = { token, draft: kept };
    try {
      sessionStorage.setItem(kept.id, JSON.stringify(kept));
    } catch (error) {
      console.warn("This tab keeps no draft:", error);
    }
    this.databaseTimer ??= window.setTimeout(() => void this.toDatabase(), DATABASE_DELAY_MS);
    clearTimeout(this.serverTimer);
    this.serverTimer = window.setTimeout(() => this.toServer(), SERVER_DELAY_MS);
  }

  /** Writes what still waits; for the moment the page goes away. */
  flush(): void {
    if (!this.latest) return;
    void this.toDatabase();
    this.toServer();
  }

  async find(token: string): Promise<LocalDraft | null> {
    const id = this.id(token);
    const inTab = sessionStorage.getItem(id);
    if (inTab) return JSON.parse(inTab) as LocalDraft;
    if (!this.database) return null;
    const found = await transact<LocalDraft | undefined>(
      this.database,
      DRAFTS,
      "readonly",
      (store) => store.get(id) as IDBRequest<LocalDraft | undefined>,
    ).catch((error: unknown) => {
      console.warn("This computer kept no draft:", error);
      return undefined;
    });
    return found ?? null;
  }

  /** Forgets a draft whose answer is in the queue. */
  async drop(token: string): Promise<void> {
    const id = this.id(token);
    if (this.latest?.token === token) {
      this.clearDatabaseTimer();
      clearTimeout(this.serverTimer);
      this.latest = null;
    }
    sessionStorage.removeItem(id);
    if (this.database) await transact(this.database, DRAFTS, "readwrite", (s) => s.delete(id));
  }

  private id(token: string): string {
    return `draft ${this.owner} ${token}`;
  }

  private clearDatabaseTimer(): void {
    if (this.databaseTimer !== null) clearTimeout(this.databaseTimer);
    this.databaseTimer = null;
  }

  private async toDatabase(): Promise<void> {
    this.clearDatabaseTimer();
    const draft = this.latest?.draft;
    if (!this.database || !draft) return;
    await transact(this.database, DRAFTS, "readwrite", (store) => store.put(draft)).catch(
      (error: unknown) => console.warn("This computer keeps no draft:", error),
    );
  }

  /** A draft the server misses is still on this computer, so a failure needs no words. */
  private toServer(): void {
    clearTimeout(this.serverTimer);
    if (!this.latest) return;
    const { token, draft } = this.latest;
    this.saveOnServer(token, draft.answers, draft.viewer).catch(() => undefined);
  }
}
