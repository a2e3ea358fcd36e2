/** What stands over the image of one pane, from the state of the viewer. */
import type { Displays } from "./displays";
import type { Drawing, Sheet } from "./drawing";
import {
  distanceOutside,
  type Grid,
  type Plane,
  type Point,
  sliceAt,
  sliceDepth,
  toPlane,
  type Vec3,
  voxelAt,
} from "./geometry";
import type { Cell } from "./hanging";
import type { LabelPicture } from "./labels";
import type { Layout, OverlayLayout, SlotLayout } from "./layout";
import { gridOf } from "./layout";
import type { CaseImages } from "./loader";
import type { Cross, OverlayModel } from "./overlay";
import type { Pane } from "./pane";
import type { Placing } from "./placing";
import { ranges } from "./plan";
import { slabCorners } from "./reformat";
import type { Seen } from "./seen";

export interface SceneContext {
  readonly cell: Cell;
  readonly index: number;
  readonly pane: Pane;
  readonly images: CaseImages | null;
  readonly layout: Layout;
  readonly sheet: Sheet;
  readonly hover: { readonly pane: number; readonly at: Vec3 } | null;
  /** Points are being placed with the keys in this pane. */
  readonly placing: Placing | null;
  readonly firstPlaced: Vec3 | null;
  /** Where the lines of three planes cross. */
  readonly cross: Vec3 | null;
  readonly position: Vec3;
  readonly linked: boolean;
  readonly note: string;
  readonly overlays: boolean;
  /** Null: as the study sets it. */
  readonly opacity: number | null;
}

const DEFAULT_OPACITY = 0.3;

interface Parts {
  readonly displays: Displays;
  readonly drawing: Drawing;
  readonly seen: Seen;
  keyOf(slot: SlotLayout, plane: Plane): string;
}

function pixelsOf({ images, cell, sheet }: SceneContext): Int16Array | null {
  const { role } = cell.slot;
  if (!images?.hasSection(role, cell.plane, sheet.slice)) return null;
  return images.section(role, cell.plane, sheet.slice);
}

/** The position under the pointer where this pane shows it. */
function pointed({ hover, index, sheet, linked }: SceneContext): Vec3 | null {
  if (!hover) return null;
  if (hover.pane === index) return hover.at;
  if (!linked || distanceOutside(sheet.grid, hover.at) > 0) return null;
  return sliceAt(sheet.grid, hover.at) === sheet.slice ? hover.at : null;
}

function levelAt(at: Vec3 | null, grid: Grid, pixels: Int16Array | null): number | null {
  const voxel = at && pixels && voxelAt(grid, toPlane(grid.plane, at));
  return voxel ? (pixels[voxel[0] * grid.shape[2] + voxel[1]] ?? null) : null;
}

function crossesOf(scene: SceneContext, at: Vec3 | null): Cross[] {
  const { plane } = scene.cell;
  const crosses: Cross[] = [];
  if (scene.cross) crosses.push({ at: toPlane(plane, scene.cross), kind: "lines" });
  const own = scene.hover?.pane === scene.index;
  if (at && !own) crosses.push({ at: toPlane(plane, at), kind: "cursor" });
  if (scene.placing) {
    const here = scene.placing.on(scene.sheet.grid, scene.sheet.depth);
    crosses.push({ at: toPlane(plane, here), kind: "placing" });
    if (scene.firstPlaced) {
      crosses.push({ at: toPlane(plane, scene.firstPlaced), kind: "placing" });
    }
  }
  return crosses;
}

/** Parts of a cut across the stored slices whose slices have not arrived. */
function missingParts({ images, cell }: SceneContext): [Point, Point][] {
  if (!images || cell.plane === cell.slot.plane) return [];
  const grid = gridOf(cell.slot);
  const absent = images.presentOf(cell.slot.role).map((here) => !here);
  return ranges(absent).map(([from, to]) => {
    const [low, high] = slabCorners(grid, from, to);
    return [toPlane(cell.plane, low), toPlane(cell.plane, high)];
  });
}

function noteOf(scene: SceneContext): string {
  if (scene.placing) return "Arrows move, Enter places, Esc ends";
  const outside = distanceOutside(scene.sheet.grid, scene.position);
  if (outside > 0) return `Nearest slice, ${outside.toFixed(0)} mm away`;
  return scene.note;
}

function overlaysOn({ layout, cell, overlays }: SceneContext): OverlayLayout[] {
  if (!overlays) return [];
  return layout.overlays.filter(({ on }) => on.includes(cell.slot.role));
}

export function overlayModel(scene: SceneContext, parts: Parts): OverlayModel {
  const { cell, sheet } = scene;
  const { slot, plane } = cell;
  const pixels = pixelsOf(scene);
  const at = pointed(scene);
  const seenAt = scene.placing ? scene.placing.on(sheet.grid, sheet.depth) : at;
  return {
    slot,
    grid: sheet.grid,
    size: sheet.size,
    camera: sheet.camera,
    slice: sheet.slice,
    seen: parts.seen.of(parts.keyOf(slot, plane), sheet.grid.shape[0]),
    ...parts.displays.of(slot),
    range: parts.displays.range(slot),
    level: levelAt(seenAt, sheet.grid, pixels),
    crosses: crossesOf(scene, at),
    measures: parts.drawing.shownOn(sheet),
    selected: parts.drawing.selected,
    numberOf: (measure) => parts.drawing.numberOf(measure),
    pixels,
    missing: missingParts(scene),
    note: noteOf(scene),
    legend: overlaysOn(scene),
  };
}

export function labelPictures(scene: SceneContext): LabelPicture[] {
  const { images, cell, sheet, opacity } = scene;
  return overlaysOn(scene).flatMap((overlay) => {
    if (!images?.grid(overlay.role)) return [];
    const grid = images.gridIn(overlay.role, cell.plane);
    const slice = sliceAt(grid, toDepth(sheet));
    if (!images.hasSection(overlay.role, cell.plane, slice)) return [];
    const pixels = images.section(overlay.role, cell.plane, slice);
    const shown = opacity ?? overlay.opacity ?? DEFAULT_OPACITY;
    return [{ overlay, grid, pixels, camera: sheet.camera, opacity: shown }];
  });
}

/** A position on the slice shown. */
function toDepth({ grid, slice }: Sheet): Vec3 {
  const at = [...grid.origin] as [number, number, number];
  at[{ axial: 2, coronal: 1, sagittal: 0 }[grid.plane]] = sliceDepth(grid, slice);
  return at;
}

/** Changes when the label maps of a pane have to be drawn anew. */
export function labelState(scene: SceneContext): string {
  const { sheet, cell, images, opacity } = scene;
  const shown = overlaysOn(scene).map(({ role }) => [role, images?.version(role)]);
  return JSON.stringify([
    images?.key,
    cell.plane,
    sheet.slice,
    sheet.camera,
    sheet.size,
    opacity,
    shown,
  ]);
}
