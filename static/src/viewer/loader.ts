import type { Geometry } from "./geometry";
import { type Chunk, type ChunkRequest, fetchOrder } from "./plan";

export type FailureKind = "network" | "signed_out" | "gone" | "damaged";

export class ChunkError extends Error {
  constructor(
    readonly kind: FailureKind,
    message: string,
  ) {
    super(message);
  }
}

export interface ChunkOptions {
  readonly signal: AbortSignal;
  readonly priority: RequestPriority;
}

/** Brings the decoded bytes of one chunk. */
export type FetchChunk = (
  token: string,
  chunk: number,
  options: ChunkOptions,
) => Promise<ArrayBuffer>;

export const fetchChunk: FetchChunk = async (token, chunk, options) => {
  const lost = (error: unknown): never => {
    if (options.signal.aborted) throw error;
    throw new ChunkError("network", "The connection was lost");
  };
  const response = await fetch(`/i/${encodeURIComponent(token)}/${chunk}`, {
    signal: AbortSignal.any([options.signal, AbortSignal.timeout(TIMEOUT_MS)]),
    priority: options.priority,
    credentials: "same-origin",
  }).catch(lost);
  if (response.status === 401) throw new ChunkError("signed_out", "The sign-in has ended");
  if ([403, 404, 410].includes(response.status)) {
    throw new ChunkError("gone", "The image is no longer available");
  }
  if (!response.ok) throw new ChunkError("network", `The server answered ${response.status}`);
  return response.arrayBuffer().catch(lost);
};

/** Time for one chunk on the slowest line; a request that hangs counts as lost. */
const TIMEOUT_MS = 60_000;
const RETRY_DELAYS_MS = [500, 2000];
const PARALLEL = { high: 4, low: 2 } as const;

export interface CaseSource {
  readonly key: string;
  readonly images: Readonly<Record<string, string>>;
  readonly geometry: Geometry;
  readonly chunks: readonly Chunk[];
}

/** The images of one case: one int16 volume for each role, filled chunk by chunk. */
export class CaseImages {
  readonly key: string;
  readonly roles: readonly string[];
  failure: ChunkError | null = null;
  private readonly volumes = new Map<string, Int16Array>();
  private readonly present = new Map<string, boolean[]>();
  private readonly listeners = new Set<() => void>();
  private waiting: ChunkRequest[];
  private missing: number;
  private running = 0;
  private priority: "high" | "low" = "low";
  private abort: AbortController | null = null;

  constructor(
    private readonly source: CaseSource,
    private readonly bring: FetchChunk = fetchChunk,
    private readonly pause: (ms: number) => Promise<void> = wait,
  ) {
    this.key = source.key;
    this.roles = Object.keys(source.images);
    this.waiting = fetchOrder(this.roles, source.chunks);
    this.missing = this.waiting.length;
    const [nz, ny, nx] = source.geometry.shape;
    for (const role of this.roles) {
      this.volumes.set(role, new Int16Array(nz * ny * nx));
      this.present.set(role, new Array<boolean>(nz).fill(false));
    }
  }

  get complete(): boolean {
    return this.missing === 0;
  }

  /** Slices present in every pane, of all slices. */
  get slicesLoaded(): number {
    const nz = this.source.geometry.shape[0];
    let count = 0;
    for (let z = 0; z < nz; z++) if (this.hasAll(z)) count++;
    return count;
  }

  has(role: string, slice: number): boolean {
    return this.present.get(role)?.[slice] ?? false;
  }

  hasAll(slice: number): boolean {
    return this.roles.every((role) => this.has(role, slice));
  }

  /** Pixels of one slice; a view on the volume, not a copy. */
  pixels(role: string, slice: number): Int16Array {
    const volume = this.volumes.get(role);
    if (!volume || !this.has(role, slice))
      throw new Error(`Slice ${slice} of ${role} is not loaded`);
    const size = this.sliceSize;
    return volume.subarray(slice * size, (slice + 1) * size);
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Begins or goes on loading; a call with "high" also speeds up a case that was loading low. */
  start(priority: "high" | "low"): void {
    this.priority = priority;
    this.failure = null;
    this.abort ??= new AbortController();
    while (this.running < PARALLEL[priority] && this.waiting.length > 0) void this.work(this.abort);
  }

  /** Stops requests; what has arrived stays. */
  stop(): void {
    this.abort?.abort();
    this.abort = null;
  }

  private get sliceSize(): number {
    return this.source.geometry.shape[1] * this.source.geometry.shape[2];
  }

  private async work(abort: AbortController): Promise<void> {
    const request = this.waiting.shift();
    if (!request) return;
    this.running++;
    try {
      this.store(request, await this.bringPatiently(request, abort.signal));
    } catch (error) {
      this.waiting.unshift(request);
      if (!abort.signal.aborted) this.fail(error);
    } finally {
      this.running--;
    }
    this.listeners.forEach((listener) => {
      listener();
    });
    if (this.abort && !this.failure) this.start(this.priority);
  }

  private async bringPatiently(request: ChunkRequest, signal: AbortSignal): Promise<ArrayBuffer> {
    const token = this.source.images[request.role] as string;
    for (const delay of RETRY_DELAYS_MS) {
      try {
        return await this.bring(token, request.chunk, { signal, priority: this.priority });
      } catch (error) {
        const again = error instanceof ChunkError && error.kind === "network" && !signal.aborted;
        if (!again) throw error;
        await this.pause(delay);
      }
    }
    return this.bring(token, request.chunk, { signal, priority: this.priority });
  }

  private store(request: ChunkRequest, bytes: ArrayBuffer): void {
    const [z0, z1] = this.source.chunks[request.chunk] as Chunk;
    const expected = (z1 - z0) * this.sliceSize * 2;
    if (bytes.byteLength !== expected) {
      throw new ChunkError("damaged", `${bytes.byteLength} of ${expected} bytes arrived`);
    }
    // Every machine a browser runs on is little-endian, as the wire is.
    this.volumes.get(request.role)?.set(new Int16Array(bytes), z0 * this.sliceSize);
    this.present.get(request.role)?.fill(true, z0, z1);
    this.missing--;
  }

  private fail(error: unknown): void {
    this.failure = error instanceof ChunkError ? error : new ChunkError("damaged", String(error));
    this.stop();
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
