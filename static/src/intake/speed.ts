/** How fast bytes go out, over the last seconds, and how long the rest will take. */

const WINDOW_MS = 10_000;
const LEAST_MS = 1_500;

export class Speed {
  private readonly samples: { at: number; bytes: number }[] = [];
  private startedAt: number | null = null;

  constructor(private readonly now: () => number) {}

  add(bytes: number): void {
    const at = this.now();
    this.startedAt ??= at;
    this.samples.push({ at, bytes });
    while (this.samples.length > 1 && (this.samples[0] as { at: number }).at < at - WINDOW_MS) {
      this.samples.shift();
    }
  }

  /** Bytes per second, or null while too little is known. */
  get bytesPerSecond(): number | null {
    const first = this.samples[0];
    if (!first || this.startedAt === null) return null;
    const ms = this.now() - first.at;
    if (this.now() - this.startedAt < LEAST_MS || ms <= 0) return null;
    const bytes = this.samples.reduce((sum, sample) => sum + sample.bytes, 0);
    return (bytes * 1000) / ms;
  }
}

const UNITS: readonly [number, string][] = [
  [2 ** 30, "GB"],
  [2 ** 20, "MB"],
  [2 ** 10, "kB"],
];

export function sizeText(bytes: number): string {
  const unit = UNITS.find(([least]) => bytes >= least);
  return unit ? `${(bytes / unit[0]).toFixed(1)} ${unit[1]}` : `${Math.round(bytes)} bytes`;
}

export function durationText(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`;
}

/** "12.0 MB/s, about 3 min left", as far as it can be told. */
export function paceText(bytesPerSecond: number | null, left: number): string {
  if (bytesPerSecond === null || bytesPerSecond <= 0) return "";
  const rest = durationText(left / bytesPerSecond);
  return `${sizeText(bytesPerSecond)}/s, about ${rest} left`;
}
