import type { Grid, Plane } from "./geometry";
import type { Series } from "./layout";
import { type Chunk, type ChunkRequest, fetchOrder } from "./plan";
import { gridIn, section } from "./reformat";

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

/** Fetches from addresses of the form `<base><token>/<chunk>`. */
export function chunksFrom(base: string): FetchChunk {
  return async (token, chunk, options) => {
    const lost = (error: unknown): never => {
      if (options.signal.aborted) throw error;
      throw new ChunkError("network", "The connection was lost");
    };
    const response = await fetch(`${base}${encodeURIComponent(token)}/${chunk}`, {
      signal: AbortSignal.any([options.signal, AbortSignal.timeout(TIMEOUT_MS)]),
      priority: options.priority,
      credentials: "same-origin",
    }).catch(lost);
    if (response.status === 401) throw new ChunkError("signed_out", "The sign-in has ended");
    if ([403, 404, 410].includes(response.status)) {
      throw new ChunkError("gone", "The image is no longer available");
    }
    if (response.status === 500 && response.headers.get("Content-Type") === PLAIN) {
      throw new ChunkError("damaged", await response.text());
    }
    if (!response.ok) throw new ChunkError("network", `The server answered ${response.status}`);
    return response.arrayBuffer().catch(lost);
  };
}

/** Outside blinded reading the server says in words what is wrong with a stored image. */
const PLAIN = "text/plain; charset=utf-8";
/** Time for one chunk on the slowest line; a request that hangs counts as lost. */
const TIMEOUT_MS = 60_000;
const RETRY_DELAYS_MS = [500, 2000];
const PARALLEL = { high: 4, low: 2 } as const;

export interface CaseSource {
  readonly key: string;
  readonly images: Readonly<Record<string, string>>;
  readonly series: readonly Series[];
  readonly differences?: readonly Difference[];
}

/** A role that is not fetched: one image less another on the same grid. */
export interface Difference {
  readonly role: string;
  readonly of: string;
  readonly minus: string;
}

/** How much of a case to load: everything, or what is painted first. */
export type Extent = "all" | "pack";
export type Priority = "high" | "low";

/** Lets input and painting come first; for work that nobody waits for. */
export type GiveWay = () => Promise<void>;

/** The images of one case: one int16 block for each role, filled chunk by chunk. */
export class CaseImages {
  readonly key: string;
  failure: ChunkError | null = null;
  private readonly series: ReadonlyMap<string, Series>;
  private readonly blocks = new Map<string, Int16Array>();
  private readonly packs = new Map<string, Int16Array>();
  private readonly present = new Map<string, boolean[]>();
  private readonly derived: ReadonlyMap<string, Difference>;
  private readonly listeners = new Set<() => void>();
  private readonly total: number;
  private waiting: ChunkRequest[];
  private missing: number;
  private running = 0;
  private extent: Extent = "all";
  private priority: Priority = "low";
  private abort: AbortController | null = null;

  constructor(
    private readonly source: CaseSource,
    private readonly bring: FetchChunk = chunksFrom("/i/"),
    private readonly pause: (ms: number) => Promise<void> = wait,
    private readonly giveWay: GiveWay = afterInput,
  ) {
    this.key = source.key;
    const here = source.series.filter(({ role }) => role in source.images);
    this.series = new Map(here.map((one) => [one.role, one]));
    this.derived = new Map((source.differences ?? []).map((one) => [one.role, one]));
    this.waiting = fetchOrder(here);
    this.missing = this.waiting.length;
    this.total = this.waiting.length;
    for (const { role, grid } of here) {
      this.present.set(role, new Array<boolean>(grid.shape[0]).fill(false));
    }
  }

  get complete(): boolean {
    return this.missing === 0;
  }

  /** Share of the chunks that are here, 0 to 1. */
  get loaded(): number {
    return this.total === 0 ? 1 : (this.total - this.missing) / this.total;
  }

  /** Grows with each chunk of a role, so that cuts through it can be made anew. */
  version(role: string): number {
    const derived = this.derived.get(role);
    if (derived) return this.version(derived.of) + this.version(derived.minus);
    return this.slicesOf(role);
  }

  grid(role: string): Grid | null {
    const derived = this.derived.get(role);
    return this.series.get(derived?.of ?? role)?.grid ?? null;
  }

  slicesOf(role: string): number {
    return this.presentOf(role).filter(Boolean).length;
  }

  /** Which stored slices are here. */
  presentOf(role: string): readonly boolean[] {
    const derived = this.derived.get(role);
    if (!derived) return this.present.get(role) ?? [];
    const minus = this.presentOf(derived.minus);
    return this.presentOf(derived.of).map((here, at) => here && minus[at] === true);
  }

  has(role: string, slice: number): boolean {
    return this.presentOf(role)[slice] ?? false;
  }

  /** Whether a slice of a plane can be drawn: fully, or at least in part across the stored ones. */
  hasSection(role: string, plane: Plane, slice: number): boolean {
    if (this.grid(role)?.plane === plane) return this.has(role, slice);
    return this.presentOf(role).some(Boolean);
  }

  /** Pixels of one slice of a plane; where possible a view on the block, not a copy. */
  section(role: string, plane: Plane, slice: number): Int16Array {
    const derived = this.derived.get(role);
    if (derived) return this.difference(derived, plane, slice);
    const grid = this.series.get(role)?.grid;
    if (!grid || !this.hasSection(role, plane, slice)) {
      throw new Error(`Slice ${slice} of ${role} is not loaded`);
    }
    const block = this.blocks.get(role);
    if (block) return section(block, grid, plane, slice);
    if (plane === grid.plane) return this.fromPack(role, slice);
    return section(this.blockOf(role), grid, plane, slice);
  }

  pixels(role: string, slice: number): Int16Array {
    return this.section(role, this.grid(role)?.plane ?? "axial", slice);
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Begins or goes on loading; a call with "high" also speeds up a case that was loading low. */
  start(priority: Priority, extent: Extent = "all"): void {
    this.priority = priority;
    this.extent = extent;
    this.failure = null;
    this.abort ??= new AbortController();
    while (this.running < PARALLEL[priority] && this.wanted) void this.work(this.abort);
  }

  /** Stops requests; what has arrived stays. */
  stop(): void {
    this.abort?.abort();
    this.abort = null;
  }

  private get wanted(): boolean {
    const next = this.waiting[0];
    return next !== undefined && (this.extent === "all" || next.chunk === 0);
  }

  private async work(abort: AbortController): Promise<void> {
    const request = this.waiting.shift();
    if (!request) return;
    this.running++;
    try {
      const bytes = await this.bringPatiently(request, abort.signal);
      if (this.priority === "low") await this.giveWay();
      this.store(request, bytes);
    } catch (error) {
      this.waiting.unshift(request);
      if (!abort.signal.aborted) this.fail(error);
    } finally {
      this.running--;
    }
    this.listeners.forEach((listener) => {
      listener();
    });
    if (this.abort && !this.failure) this.start(this.priority, this.extent);
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
    const { grid, chunks } = this.series.get(request.role) as Series;
    const [z0, z1] = chunks[request.chunk] as Chunk;
    const size = grid.shape[1] * grid.shape[2];
    const expected = (z1 - z0) * size * 2;
    if (bytes.byteLength !== expected) {
      throw new ChunkError("damaged", `${bytes.byteLength} of ${expected} bytes arrived`);
    }
    // Every machine a browser runs on is little-endian, as the wire is.
    const values = new Int16Array(bytes);
    const alone = request.chunk === 0 && !this.blocks.has(request.role);
    if (alone) this.packs.set(request.role, values);
    else this.blockOf(request.role).set(values, z0 * size);
    this.present.get(request.role)?.fill(true, z0, z1);
    this.missing--;
  }

  /** The whole block is made when more than the first pack comes: a pack alone stays small. */
  private blockOf(role: string): Int16Array {
    const known = this.blocks.get(role);
    if (known) return known;
    const { grid, chunks } = this.series.get(role) as Series;
    const [slices, rows, columns] = grid.shape;
    const block = new Int16Array(slices * rows * columns);
    const pack = this.packs.get(role);
    if (pack) block.set(pack, (chunks[0] as Chunk)[0] * rows * columns);
    this.packs.delete(role);
    this.blocks.set(role, block);
    return block;
  }

  private fromPack(role: string, slice: number): Int16Array {
    const { grid, chunks } = this.series.get(role) as Series;
    const size = grid.shape[1] * grid.shape[2];
    const at = slice - (chunks[0] as Chunk)[0];
    return (this.packs.get(role) as Int16Array).subarray(at * size, (at + 1) * size);
  }

  private difference({ of, minus }: Difference, plane: Plane, slice: number): Int16Array {
    const less = this.section(minus, plane, slice);
    return this.section(of, plane, slice).map((value, at) => value - (less[at] as number));
  }

  /** Geometry of a role in a plane. */
  gridIn(role: string, plane: Plane): Grid {
    const grid = this.grid(role);
    if (!grid) throw new Error(`There is no image ${role}`);
    return gridIn(grid, plane);
  }

  private fail(error: unknown): void {
    this.failure = error instanceof ChunkError ? error : new ChunkError("damaged", String(error));
    this.stop();
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Between two pieces of unhurried work: at the end of the queue, with input before it. */
function afterInput(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
