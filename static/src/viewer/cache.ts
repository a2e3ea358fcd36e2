import { CaseImages, type CaseSource } from "./loader";

export type MakeCase = (source: CaseSource) => CaseImages;

/**
 * Holds the case on screen and one other. The other is the case read before until the next one
 * begins to load, so that an answer undone without a connection finds its images again.
 */
export class CaseCache {
  private current: CaseImages | null = null;
  private other: CaseImages | null = null;

  constructor(private readonly make: MakeCase = (source) => new CaseImages(source)) {}

  /** The case to show now; it loads with high priority and everything else stops. */
  open(source: CaseSource): CaseImages {
    if (this.current?.key !== source.key) {
      const before = this.current;
      before?.stop();
      if (this.other?.key === source.key) {
        this.current = this.other;
      } else {
        this.other?.stop();
        this.current = this.make(source);
      }
      this.other = before;
    }
    const opened = this.current;
    if (!opened.complete) opened.start("high");
    return opened;
  }

  /** Loads the case that comes next with low priority; the case read before makes room. */
  prefetch(source: CaseSource): CaseImages {
    if (this.other?.key !== source.key) {
      this.other?.stop();
      this.other = this.make(source);
    }
    if (!this.other.complete) this.other.start("low");
    return this.other;
  }

  find(key: string): CaseImages | null {
    return [this.current, this.other].find((images) => images?.key === key) ?? null;
  }

  keys(): string[] {
    return [this.current, this.other].flatMap((images) => (images ? [images.key] : []));
  }
}
