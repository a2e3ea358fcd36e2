export type Chunk = readonly [z0: number, z1: number];

export interface ChunkRequest {
  readonly role: string;
  readonly chunk: number;
}

/** Chunks of one role, by number; the first is the pack that is painted first. */
export interface Chunked {
  readonly role: string;
  readonly chunks: readonly Chunk[];
}

/**
 * Order of requests for one case: the first-paint pack of every image, then the next chunk of every
 * image, from the centre outwards as the server numbered them.
 */
export function fetchOrder(series: readonly Chunked[]): ChunkRequest[] {
  const most = Math.max(0, ...series.map(({ chunks }) => chunks.length));
  return Array.from({ length: most }, (_, chunk) =>
    series.filter(({ chunks }) => chunk < chunks.length).map(({ role }) => ({ role, chunk })),
  ).flat();
}

/** Throws unless the chunks cover each slice exactly once. */
export function checkChunks(chunks: readonly Chunk[], slices: number): void {
  const sorted = [...chunks].sort((a, b) => a[0] - b[0]);
  let next = 0;
  for (const [z0, z1] of sorted) {
    if (z0 !== next || z1 <= z0)
      throw new Error(`Chunks of the image do not join at slice ${next}`);
    next = z1;
  }
  if (next !== slices) throw new Error(`Chunks of the image cover ${next} of ${slices} slices`);
}

/** Sorted half-open ranges of the true entries. */
export function ranges(flags: readonly boolean[]): [number, number][] {
  const found: [number, number][] = [];
  flags.forEach((flag, index) => {
    if (!flag) return;
    const last = found.at(-1);
    if (last?.[1] === index) last[1] = index + 1;
    else found.push([index, index + 1]);
  });
  return found;
}
