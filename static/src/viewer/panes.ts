/** The only file that knows Cornerstone3D. */
import {
  cache,
  Enums,
  eventTarget,
  imageLoader,
  init,
  metaData,
  RenderingEngine,
  type Types,
  utilities,
} from "@cornerstonejs/core";
import type { Backend, BackendOptions, Picture } from "./backend";
import { ENTRIES, type MapName, tableOf } from "./colour";
import { type Grid, toPlane } from "./geometry";
import type { CaseImages } from "./loader";

const SCHEME = "rs";
const CACHE_BYTES = 400 * 1024 * 1024;
const CAMERA_DISTANCE_MM = 100;
/**
 * Every slice lies in one plane for Cornerstone, which then neither moves its camera nor its
 * clipping planes while scrolling: with true positions a slice may fall outside them and stay black.
 */
const PLANE_ORIGIN = [0, 0, 0];

interface Stack {
  readonly images: CaseImages;
  readonly role: string;
  readonly grid: Grid;
  readonly version: number;
}

const stacks = new Map<string, Stack>();
let serial = 0;
let prepared = false;

function imageId(stack: string, slice: number): string {
  return `${SCHEME}:${stack}/${slice}`;
}

function lookUp(id: string): { stack: Stack; slice: number } | null {
  const match = /^rs:(\d+)\/(\d+)$/.exec(id);
  const stack = match ? stacks.get(match[1] as string) : undefined;
  return stack ? { stack, slice: Number(match?.[2]) } : null;
}

function planeModule(grid: Grid, slice: number) {
  const [, rows, columns] = grid.shape;
  const [dz, dy, dx] = grid.spacing;
  return {
    frameOfReferenceUID: "readerstudy",
    rows,
    columns,
    imageOrientationPatient: [1, 0, 0, 0, 1, 0],
    rowCosines: [1, 0, 0],
    columnCosines: [0, 1, 0],
    imagePositionPatient: PLANE_ORIGIN,
    sliceThickness: dz,
    sliceLocation: slice * dz,
    pixelSpacing: [dy, dx],
    rowPixelSpacing: dy,
    columnPixelSpacing: dx,
  };
}

const PIXEL_MODULE = {
  bitsAllocated: 16,
  bitsStored: 16,
  highBit: 15,
  samplesPerPixel: 1,
  pixelRepresentation: 1,
  photometricInterpretation: "MONOCHROME2",
};

function provide(type: string, ...queries: string[]): unknown {
  const found = lookUp(queries[0] as string);
  if (!found) return undefined;
  const { IMAGE_PLANE, IMAGE_PIXEL, GENERAL_SERIES } = Enums.MetadataModules;
  const modules: Readonly<Record<string, () => unknown>> = {
    [IMAGE_PLANE]: () => planeModule(found.stack.grid, found.slice),
    [IMAGE_PIXEL]: () => PIXEL_MODULE,
    [GENERAL_SERIES]: () => ({ modality: "MR" }),
  };
  return modules[type]?.();
}

function makeImage(id: string): Types.IImage {
  const found = lookUp(id);
  if (!found) throw new Error(`Image ${id} belongs to a case that was closed`);
  const { images, role, grid } = found.stack;
  const [, rows, columns] = grid.shape;
  const [, dy, dx] = grid.spacing;
  const scalarData = images.section(role, grid.plane, found.slice);
  const voxelManager = utilities.VoxelManager.createImageVoxelManager({
    scalarData,
    width: columns,
    height: rows,
    numberOfComponents: 1,
  });
  return {
    imageId: id,
    minPixelValue: 0,
    maxPixelValue: 4095,
    slope: 1,
    intercept: 0,
    windowCenter: 2048,
    windowWidth: 4096,
    voiLUTFunction: Enums.VOILUTFunctionType.LINEAR,
    getPixelData: () => scalarData,
    getCanvas: () => document.createElement("canvas"),
    rows,
    columns,
    height: rows,
    width: columns,
    color: false,
    rgba: false,
    numberOfComponents: 1,
    rowPixelSpacing: dy,
    columnPixelSpacing: dx,
    invert: false,
    sizeInBytes: scalarData.byteLength,
    dataType: "Int16Array",
    voxelManager: voxelManager,
  };
}

function prepare(panes: number): void {
  if (prepared) return;
  init({ rendering: { webGlContextCount: panes }, debug: {} });
  cache.setMaxCacheSize(CACHE_BYTES);
  imageLoader.registerImageLoader(SCHEME, (id) => ({
    promise: new Promise<Types.IImage>((resolve) => resolve(makeImage(id))),
  }));
  metaData.addProvider(provide, 100);
  prepared = true;
}

/** A colour table as Cornerstone knows it, registered when it is first needed. */
function colourMap(map: MapName, invert: boolean): string {
  const name = `rs-${map}${invert ? "-inverted" : ""}`;
  if (utilities.colormap.getColormap(name)) return name;
  const table = tableOf(map);
  const points: number[] = [];
  const step = map === "grey" ? ENTRIES - 1 : 1;
  for (let at = 0; at < ENTRIES; at += step) {
    const entry = (invert ? ENTRIES - 1 - at : at) * 3;
    const [red = 0, green = 0, blue = 0] = table.subarray(entry, entry + 3);
    points.push(at / (ENTRIES - 1), red / 255, green / 255, blue / 255);
  }
  utilities.colormap.registerColormap({
    ColorSpace: "RGB",
    Name: name,
    name,
    RGBPoints: points,
  });
  return name;
}

/** One viewport; draws the latest picture asked for and skips those overtaken meanwhile. */
class Viewport {
  private stack: string | null = null;
  private slices = 0;
  private colour = "";
  /** A viewport that once had a colour map keeps one: Cornerstone cannot take it back. */
  private coloured = false;
  private wanted: Picture | null = null;
  private drawing: Promise<void> | null = null;

  constructor(
    private readonly viewport: Types.IStackViewport,
    private readonly host: HTMLElement,
  ) {}

  draw(picture: Picture): Promise<void> {
    this.wanted = picture;
    this.drawing ??= this.drawWanted().finally(() => {
      this.drawing = null;
    });
    return this.drawing;
  }

  close(): void {
    this.wanted = null;
    if (this.stack === null) return;
    for (let slice = 0; slice < this.slices; slice++) {
      const id = imageId(this.stack, slice);
      if (cache.getImageLoadObject(id)) cache.removeImageLoadObject(id, { force: true });
    }
    stacks.delete(this.stack);
    this.stack = null;
  }

  private async drawWanted(): Promise<void> {
    while (this.wanted) {
      const picture = this.wanted;
      this.wanted = null;
      await this.choose(picture);
      this.apply(picture);
    }
  }

  private isOpen({ images, role, grid, version }: Picture): boolean {
    const open = this.stack === null ? null : stacks.get(this.stack);
    return (
      open?.images === images &&
      open.role === role &&
      open.grid.plane === grid.plane &&
      open.version === version
    );
  }

  private async choose(picture: Picture): Promise<void> {
    const { images, role, grid, version, slice } = picture;
    if (this.isOpen(picture)) {
      await this.viewport.setImageIdIndex(slice);
      return;
    }
    this.close();
    const stack = String(++serial);
    this.stack = stack;
    this.slices = grid.shape[0];
    stacks.set(stack, { images, role, grid, version });
    const ids = Array.from({ length: this.slices }, (_, at) => imageId(stack, at));
    await this.viewport.setStack(ids, slice);
    this.colour = "";
  }

  private apply({ window, map, invert, smooth, camera, grid }: Picture): void {
    const [u, v] = toPlane(grid.plane, grid.origin);
    const [x, y] = [camera.centre[0] - u, camera.centre[1] - v];
    const { NEAREST, LINEAR } = Enums.InterpolationType;
    this.viewport.setProperties({
      voiRange: { lower: window.level - window.width / 2, upper: window.level + window.width / 2 },
      interpolationType: smooth ? LINEAR : NEAREST,
      ...this.colours(map, invert),
    });
    this.viewport.setCamera({
      focalPoint: [x, y, 0],
      position: [x, y, -CAMERA_DISTANCE_MM],
      viewUp: [0, -1, 0],
      viewPlaneNormal: [0, 0, -1],
      parallelScale: this.host.clientHeight / camera.scale / 2,
    });
    this.viewport.render();
  }

  /** Plain grey is Cornerstone's own and the fastest; colour tables hold their inversion. */
  private colours(map: MapName, invert: boolean): Types.StackViewportProperties {
    if (!this.coloured && map === "grey") return { invert };
    if (!this.coloured) this.viewport.setProperties({ invert: false });
    this.coloured = true;
    const name = colourMap(map, invert);
    if (name === this.colour) return {};
    this.colour = name;
    return { colormap: { name } };
  }
}

export function makeCornerstoneBackend({ hosts, onLost }: BackendOptions): Backend {
  prepare(hosts.length);
  const engine = new RenderingEngine(`reading-${++serial}`);
  engine.setViewports(
    hosts.map((host, index) => ({
      viewportId: `pane-${index}`,
      type: Enums.ViewportType.STACK,
      element: host as HTMLDivElement,
      defaultOptions: { background: [0, 0, 0] as Types.Point3 },
    })),
  );
  const viewports = hosts.map((host, index) => {
    const viewport = engine.getViewport<Types.IStackViewport>(`pane-${index}`);
    return new Viewport(viewport, host);
  });
  const lost = (event: Event) => {
    const detail = (event as CustomEvent<{ renderingEngineId: string }>).detail;
    if (detail.renderingEngineId === engine.id) onLost();
  };
  eventTarget.addEventListener(Enums.Events.WEBGL_CONTEXT_LOST, lost);
  return {
    draw: (index, picture) => (viewports[index] as Viewport).draw(picture),
    clear: (index) => (viewports[index] as Viewport).close(),
    resize: () => engine.resize(true, true),
    dispose: () => {
      eventTarget.removeEventListener(Enums.Events.WEBGL_CONTEXT_LOST, lost);
      for (const viewport of viewports) viewport.close();
      engine.destroy();
      for (const host of hosts) host.replaceChildren();
    },
  };
}
