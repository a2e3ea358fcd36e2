/** Which slices of each pane were on screen. */
import { ranges } from "./plan";

export class Seen {
  private readonly flags = new Map<string, boolean[]>();

  clear(): void {
    this.flags.clear();
  }

  of(pane: string, slices: number): boolean[] {
    const found = this.flags.get(pane) ?? new Array<boolean>(slices).fill(false);
    this.flags.set(pane, found);
    return found;
  }

  add(pane: string, slices: number, slice: number): void {
    this.of(pane, slices)[slice] = true;
  }

  restore(pane: string, slices: number, from: readonly (readonly [number, number])[]): void {
    for (const [z0, z1] of from) this.of(pane, slices).fill(true, z0, z1);
  }

  ranges(pane: string, slices: number): [number, number][] {
    return ranges(this.of(pane, slices));
  }
}
