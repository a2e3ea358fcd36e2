/** What the upload asks of the server, and the two ways in which that can fail. */

export interface Upload {
  readonly id: string;
  readonly page: string;
  readonly start: string;
  readonly part_bytes: number;
}

export interface Announced {
  readonly path: string;
  readonly size: number;
  readonly modified: number;
}

export interface Answer {
  readonly path: string;
  readonly token?: string;
  readonly received?: number;
  readonly error?: string;
}

/** The server understood and said no; asking again changes nothing. */
export class Refusal extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly code: string,
    readonly received: number | null = null,
  ) {
    super(message);
  }
}

/** Nothing came back, or the server is away for a moment: try again. */
export class Lost extends Error {}

export interface Server {
  open(): Promise<Upload>;
  announce(files: readonly Announced[]): Promise<Answer[]>;
  received(token: string): Promise<number>;
  send(token: string, offset: number, part: Blob): Promise<number>;
  leaveOut(token: string): Promise<void>;
  cancel(): Promise<void>;
}

interface ErrorBody {
  readonly error?: { readonly code?: string; readonly message?: string; received?: number };
}

const TEMPORARY = new Set([408, 425, 429, 500, 502, 503, 504]);

export class HttpServer implements Server {
  private upload: string | null;

  constructor(
    private readonly base: string,
    private readonly csrf: string,
    upload: string | null = null,
  ) {
    this.upload = upload;
  }

  async open(): Promise<Upload> {
    const upload = this.upload
      ? await this.json<Upload>("GET", this.upload)
      : await this.json<Upload>("POST", this.base, "{}");
    this.upload = `${this.base}${upload.id}/`;
    return upload;
  }

  async announce(files: readonly Announced[]): Promise<Answer[]> {
    const body = JSON.stringify({ files });
    return (await this.json<{ files: Answer[] }>("POST", `${this.place}files/`, body)).files;
  }

  async received(token: string): Promise<number> {
    return (await this.json<{ received: number }>("GET", this.fileUrl(token))).received;
  }

  async send(token: string, offset: number, part: Blob): Promise<number> {
    const content = await part.arrayBuffer();
    const headers: Record<string, string> = {
      "Content-Type": "application/octet-stream",
      "Upload-Offset": String(offset),
    };
    const digest = await sha256(content);
    if (digest) headers["Part-SHA256"] = digest;
    const url = this.fileUrl(token);
    return (await this.json<{ received: number }>("PUT", url, content, headers)).received;
  }

  async leaveOut(token: string): Promise<void> {
    await this.ask("DELETE", this.fileUrl(token));
  }

  async cancel(): Promise<void> {
    if (this.upload) await this.ask("DELETE", this.upload);
  }

  private get place(): string {
    if (!this.upload) throw new Error("the upload was not opened");
    return this.upload;
  }

  private fileUrl(token: string): string {
    return `${this.place}files/${token}/`;
  }

  private async json<T>(
    method: string,
    url: string,
    body?: BodyInit,
    headers: Record<string, string> = { "Content-Type": "application/json" },
  ): Promise<T> {
    return (await (await this.ask(method, url, body, headers)).json()) as T;
  }

  private async ask(
    method: string,
    url: string,
    body?: BodyInit,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    const sent = { Accept: "application/json", "X-CSRFToken": this.csrf, ...headers };
    const options: RequestInit = { method, headers: sent, cache: "no-store" };
    if (body !== undefined) options.body = body;
    const response = await fetch(url, options).catch(() => {
      throw new Lost("The connection to the server is lost");
    });
    if (response.ok) return response;
    throw await failure(response);
  }
}

async function failure(response: Response): Promise<Error> {
  const body = (await response.json().catch(() => ({}))) as ErrorBody;
  const { code = "", message = "The server did not take this", received = null } = body.error ?? {};
  if (TEMPORARY.has(response.status)) return new Lost(message);
  return new Refusal(message, response.status, code, received);
}

async function sha256(content: ArrayBuffer): Promise<string | null> {
  // Only pages of a safe origin have it; elsewhere the length alone is checked.
  const subtle = globalThis.crypto.subtle as SubtleCrypto | undefined;
  if (!subtle) return null;
  const digest = new Uint8Array(await subtle.digest("SHA-256", content));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
