/** How each image is shown: window, inversion, colours; one set for each role. */
import type { Window } from "./backend";
import type { MapName } from "./colour";
import { clamp } from "./geometry";
import type { SlotLayout } from "./layout";

export interface Display {
  readonly window: Window;
  readonly invert: boolean;
  /** With the study's colour map, where there is one. */
  readonly coloured: boolean;
}

const WINDOW_MIN = 1;
/** Any level of 16 bits, and as much beyond as a window reaches. */
const LEVEL_LIMIT = 65_536;
/** Dragging across about 600 px doubles the window of the start. */
const DRAG_SPAN_PX = 600;

export class Displays {
  private readonly known = new Map<string, Display>();

  clear(): void {
    this.known.clear();
  }

  forget(role: string): void {
    this.known.delete(role);
  }

  of(slot: SlotLayout): Display {
    return (
      this.known.get(slot.role) ?? {
        window: slot.window,
        invert: slot.inverted ?? false,
        coloured: slot.colour !== null,
      }
    );
  }

  change(slot: SlotLayout, changes: Partial<Display>): void {
    this.known.set(slot.role, { ...this.of(slot), ...changes });
  }

  drag(slot: SlotLayout, dx: number, dy: number): void {
    const { window } = this.of(slot);
    const speed = slot.window.width / DRAG_SPAN_PX;
    const level = clamp(window.level + dy * speed, -LEVEL_LIMIT, LEVEL_LIMIT);
    this.change(slot, {
      window: {
        width: Math.max(WINDOW_MIN, window.width + dx * speed),
        level: slot.minus ? 0 : level, // a difference stays even around zero
      },
    });
  }

  /** Levels at the ends of the colours: fixed by the layout, but for a difference its window. */
  range(slot: SlotLayout): readonly [number, number] {
    const { window } = this.of(slot);
    if (slot.minus || !slot.colour) {
      return [window.level - window.width / 2, window.level + window.width / 2];
    }
    return slot.colour.range;
  }

  /** What the levels of an image become on screen: its own range where it is coloured. */
  drawn(slot: SlotLayout): { window: Window; map: MapName; invert: boolean } {
    const { window, invert, coloured } = this.of(slot);
    if (!coloured || !slot.colour) return { window, map: "grey", invert };
    const [low, high] = this.range(slot);
    return {
      window: { width: high - low, level: (high + low) / 2 },
      map: slot.colour.map,
      invert,
    };
  }
}
