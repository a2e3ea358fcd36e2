import type { ViewerState } from "../viewer/state";
import type { Answers, Preferences, StudyState, Submission, SubmissionReply } from "./contract";

/** The server answered, but not with what was asked. */
export class ServerError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly state: StudyState | null = null,
    readonly retryAfterMs: number | null = null,
  ) {
    super(message);
  }
}

/** Nothing came back. */
export class NoConnection extends Error {}

const TIMEOUT_MS = 20_000;

interface Failure {
  readonly error?: {
    readonly code?: string;
    readonly message?: string;
    readonly state?: StudyState;
  };
  readonly state?: StudyState;
}

function csrfToken(): string {
  return /(?:^|;\s*)csrftoken=([^;]*)/.exec(document.cookie)?.[1] ?? "";
}

async function request(method: string, path: string, body?: unknown, keepalive = false) {
  const unsafe = method !== "GET";
  const response = await fetch(path, {
    method,
    credentials: "same-origin",
    headers: {
      Accept: "application/json",
      ...(unsafe ? { "Content-Type": "application/json", "X-CSRFToken": csrfToken() } : {}),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    keepalive,
    cache: "no-store",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch((error: unknown) => {
    throw new NoConnection(String(error));
  });
  if (!response.ok) throw await failure(response);
  return response;
}

async function failure(response: Response): Promise<ServerError> {
  const reply = (await response.json().catch(() => ({}))) as Failure;
  const seconds = Number(response.headers.get("Retry-After"));
  return new ServerError(
    response.status,
    reply.error?.code ?? "",
    reply.error?.message ?? `The server answered ${response.status}.`,
    reply.state ?? reply.error?.state ?? null,
    seconds > 0 ? seconds * 1000 : null,
  );
}

async function json<T>(response: Promise<Response>): Promise<T> {
  const answered = await response;
  return (await answered.json().catch((error: unknown) => {
    throw new NoConnection(String(error));
  })) as T;
}

/** The server's side of one enrolment. */
export class Api {
  private readonly base: string;

  constructor(private readonly enrolment: string) {
    this.base = `/api/read/${encodeURIComponent(enrolment)}`;
  }

  state(): Promise<StudyState> {
    return json(request("GET", `${this.base}/state`));
  }

  submit(token: string, body: Submission): Promise<SubmissionReply> {
    return json(request("POST", `${this.reading(token)}/answers`, body));
  }

  undo(token: string): Promise<{ state: StudyState }> {
    return json(request("POST", `${this.reading(token)}/undo`, {}));
  }

  async saveDraft(token: string, answers: Answers, viewer: ViewerState): Promise<void> {
    await request("PUT", `${this.reading(token)}/draft`, { answers, viewer }, true);
  }

  async pause(): Promise<void> {
    await request("POST", `${this.base}/pause`, {}, true);
  }

  async resume(): Promise<void> {
    await request("POST", `${this.base}/resume`, {});
  }

  async signIn(username: string, password: string): Promise<void> {
    await request("POST", "/api/session", { username, password, enrolment: this.enrolment });
  }

  async savePreferences(preferences: Preferences): Promise<void> {
    await request("PUT", "/api/read/preferences/", preferences);
  }

  private reading(token: string): string {
    return `${this.base}/readings/${encodeURIComponent(token)}`;
  }
}
