import { CaseImages, type CaseSource } from "./loader";

export type MakeCase = (source: CaseSource) => CaseImages;

/**
 * Holds the case on screen, one other in full, and the first-paint pack of one more. The other is
 * the case read before until the next one begins to load, so that an answer undone without a
 * connection finds its images again.
 */
export class CaseCache {
  private current: CaseImages | null = null;
  private other: CaseImages | null = null;
  private pack: CaseImages | null = null;

  constructor(private readonly make: MakeCase = (source) => new CaseImages(source)) {}

  /** The case to show now; it loads with high priority and everything else stops. */
  open(source: CaseSource): CaseImages {
    this.pack?.stop();
    if (this.current?.key !== source.key) {
      const before = this.current;
      before?.stop();
      if (this.other?.key === source.key) {
        this.current = this.other;
      } else {
        this.other?.stop();
        this.current = this.taken(source);
      }
      this.other = before;
    }
    const opened = this.current;
    if (!opened.complete) opened.start("high");
    return opened;
  }

  /**
   * Loads the case that comes next with low priority, then the first pack of the one after it; the
   * case read before makes room.
   */
  prefetch(source: CaseSource, after: CaseSource | null = null): CaseImages {
    if (this.other?.key !== source.key) {
      this.other?.stop();
      this.other = this.taken(source);
    }
    if (this.other.complete) this.prefetchPack(after);
    else this.other.start("low");
    return this.other;
  }

  find(key: string): CaseImages | null {
    return [this.current, this.other].find((images) => images?.key === key) ?? null;
  }

  keys(): string[] {
    return [this.current, this.other].flatMap((images) => (images ? [images.key] : []));
  }

  get packKey(): string | null {
    return this.pack?.key ?? null;
  }

  private prefetchPack(source: CaseSource | null): void {
    if (source === null || source.key === this.current?.key) return;
    if (this.pack?.key !== source.key) {
      this.pack?.stop();
      this.pack = this.make(source);
    }
    this.pack.start("low", "pack");
  }

  /** A case of which the pack is here goes on from it. */
  private taken(source: CaseSource): CaseImages {
    if (this.pack?.key !== source.key) return this.make(source);
    const { pack } = this;
    this.pack = null;
    return pack;
  }
}
