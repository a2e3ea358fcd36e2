/** Measures of a case: drawing, choosing, changing and removing them. */
import { depthOf, type Grid, type Point, type Size, toPatient, type Vec3 } from "./geometry";
import type { Camera, Plane } from "./geometry";
import {
  type Grip,
  gripAt,
  lengthMm,
  liesOn,
  type Measure,
  type MeasureKind,
  reshaped,
} from "./measure";

/** The pane under the pointer. */
export interface Sheet {
  readonly role: string;
  readonly grid: Grid;
  readonly slice: number;
  readonly depth: number;
  readonly camera: Camera;
  readonly size: Size;
  /** Whether measures of other images show here too. */
  readonly shared: boolean;
}

/** A measure that somebody outside asked for. */
export interface Wanted {
  readonly tag: string;
  readonly kind: MeasureKind;
  readonly role: string | null;
}

interface Held {
  readonly start: Measure;
  readonly grip: Grip;
  readonly from: Point;
  readonly fresh: boolean;
}

const LEAST_PX = 4;

export class Drawing {
  wanted: Wanted | null = null;
  selected: string | null = null;
  private list: Measure[] = [];
  private held: Held | null = null;
  /** First of two points placed with the keys. */
  private begun: { readonly kind: MeasureKind; readonly at: Vec3; readonly plane: Plane } | null =
    null;

  constructor(private readonly onTagged: (tag: string, measure: Measure | null) => void) {}

  get all(): readonly Measure[] {
    return this.list;
  }

  get holding(): boolean {
    return this.held !== null;
  }

  /** The first point of a measure placed with the keys. */
  get firstPoint(): Vec3 | null {
    return this.begun?.at ?? null;
  }

  clear(measures: readonly Measure[] = []): void {
    this.list = [...measures];
    this.selected = null;
    this.held = null;
    this.begun = null;
  }

  /** Puts the measures that belong to somebody outside in place of those known. */
  setTagged(tagged: readonly Omit<Measure, "id">[]): boolean {
    if (this.held?.start.tag !== undefined) return false;
    const others = this.list.filter(({ tag }) => tag === undefined);
    const before = this.list.filter(({ tag }) => tag !== undefined);
    const after = tagged.map((measure) => ({
      ...measure,
      id: before.find(({ tag }) => tag === measure.tag)?.id ?? crypto.randomUUID(),
    }));
    const places = (list: readonly Measure[]) =>
      JSON.stringify(list.map(({ tag, kind, role, points }) => [tag, kind, role, points]));
    if (places(before) === places(after)) return false;
    this.list = [...others, ...after];
    return true;
  }

  shownOn(sheet: Pick<Sheet, "grid" | "slice" | "role" | "shared">): Measure[] {
    return this.list.filter(
      (measure) =>
        liesOn(measure, sheet.grid, sheet.slice) && (sheet.shared || measure.role === sheet.role),
    );
  }

  numberOf(measure: Measure): number {
    const points = this.list.filter(({ kind, tag }) => kind === "point" && tag === undefined);
    return points.findIndex(({ id }) => id === measure.id) + 1;
  }

  /**
   * Takes hold of a measure under the pointer. While something is being drawn, only of the chosen
   * one and by its handles, so that a new one can begin beside or across the others.
   */
  take(sheet: Sheet, screen: Point, at: Point, slack: number, drawing: boolean): boolean {
    for (const measure of this.shownOn(sheet).reverse()) {
      if (drawing && measure.id !== this.selected) continue;
      const grip = gripAt(measure, sheet.camera, sheet.size, screen, slack);
      const free = grip === "body" && measure.kind !== "point";
      if (grip === null || (drawing && free)) continue;
      this.selected = measure.id;
      this.held = { start: measure, grip, from: at, fresh: false };
      return true;
    }
    this.selected = null;
    return false;
  }

  begin(kind: MeasureKind, sheet: Sheet, at: Point): void {
    const place = toPatient(sheet.grid.plane, at, sheet.depth);
    const points = kind === "point" ? [place] : [place, place];
    const measure = this.make(kind, sheet, points);
    this.list = [...this.list, measure];
    this.selected = measure.id;
    this.held = { start: measure, grip: kind === "point" ? "body" : 1, from: at, fresh: true };
  }

  move(at: Point): void {
    const { held } = this;
    if (!held) return;
    const by: Point = [at[0] - held.from[0], at[1] - held.from[1]];
    const { start, grip, fresh } = held;
    const free = fresh && start.kind === "ellipse";
    this.replace(free ? stretched(start, by) : reshaped(start, grip, by));
  }

  /** A click without a drag draws nothing but a point. */
  end(scale: number): void {
    const { held } = this;
    this.held = null;
    const drawn = held && this.list.find(({ id }) => id === held.start.id);
    if (!drawn) return;
    if (held.fresh && drawn.kind !== "point" && lengthMm(drawn) * scale <= LEAST_PX) {
      this.list = this.list.filter(({ id }) => id !== drawn.id);
      return;
    }
    this.finished(drawn, held.fresh);
  }

  /** Places a point with the keys; the second one completes a length or an ellipse. */
  place(kind: MeasureKind, sheet: Sheet, at: Vec3): void {
    const { begun } = this;
    const { plane } = sheet.grid;
    const same =
      begun?.kind === kind &&
      begun.plane === plane &&
      Math.abs(depthOf(plane, begun.at) - sheet.depth) < sheet.grid.spacing[0] / 2;
    if (kind !== "point" && !same) {
      this.begun = { kind, at, plane };
      return;
    }
    this.begun = null;
    const measure = this.make(kind, sheet, kind === "point" ? [at] : [begun?.at as Vec3, at]);
    this.list = [...this.list, measure];
    this.selected = measure.id;
    this.finished(measure, true);
  }

  leavePlacing(): void {
    this.begun = null;
  }

  /** Removes the chosen measure, else the last one shown on the slice. */
  remove(sheet: Sheet): boolean {
    const shown = this.shownOn(sheet);
    const chosen = shown.find(({ id }) => id === this.selected) ?? shown.at(-1);
    if (!chosen) return false;
    this.list = this.list.filter(({ id }) => id !== chosen.id);
    this.selected = null;
    if (chosen.tag !== undefined) this.onTagged(chosen.tag, null);
    return true;
  }

  private make(kind: MeasureKind, sheet: Sheet, points: readonly Vec3[]): Measure {
    const wanted = this.wanted?.kind === kind ? this.wanted : null;
    return {
      id: crypto.randomUUID(),
      kind,
      role: wanted?.role ?? sheet.role,
      plane: sheet.grid.plane,
      points,
      ...(wanted ? { tag: wanted.tag } : {}),
    };
  }

  private replace(measure: Measure): void {
    this.list = this.list.map((one) => (one.id === measure.id ? measure : one));
  }

  private finished(measure: Measure, fresh: boolean): void {
    const { tag } = measure;
    if (tag === undefined) return;
    if (fresh) this.list = this.list.filter((one) => one.tag !== tag || one.id === measure.id);
    this.onTagged(tag, measure);
  }
}

/** A new ellipse grows from its first corner in both directions. */
function stretched(start: Measure, by: Point): Measure {
  const first = start.points[0] as Vec3;
  const corner = reshaped({ ...start, kind: "length" }, 1, by).points[1] as Vec3;
  return { ...start, points: [first, corner] };
}
