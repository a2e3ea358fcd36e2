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
import type { Geometry } from "./geometry";
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
  readonly geometry: Geometry;
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

function planeModule(geometry: Geometry, slice: number) {
  const [, rows, columns] = geometry.shape;
  const [dz, dy, dx] = geometry.spacing;
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
    [IMAGE_PLANE]: () => planeModule(found.stack.geometry, found.slice),
    [IMAGE_PIXEL]: () => PIXEL_MODULE,
    [GENERAL_SERIES]: () => ({ modality: "MR" }),
  };
  return modules[type]?.();
}

function makeImage(id: string): Types.IImage {
  const found = lookUp(id);
  if (!found) throw new Error(`Image ${id} belongs to a case that was closed`);
  const { images, role, geometry } = found.stack;
  const [, rows, columns] = geometry.shape;
  const [, dy, dx] = geometry.spacing;
  const scalarData = images.pixels(role, found.slice);
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

/** One viewport; draws the latest picture asked for and skips those overtaken meanwhile. */
class Viewport {
  private stack: string | null = null;
  private wanted: Picture | null = null;
  private drawing: Promise<void> | null = null;

  constructor(
    private readonly viewport: Types.IStackViewport,
    private readonly host: HTMLElement,
    private readonly geometry: Geometry,
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
    for (let z = 0; z < this.geometry.shape[0]; z++) {
      const id = imageId(this.stack, z);
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

  private async choose({ images, role, slice }: Picture): Promise<void> {
    const open = this.stack === null ? null : stacks.get(this.stack);
    if (open?.images === images && open.role === role) {
      await this.viewport.setImageIdIndex(slice);
      return;
    }
    this.close();
    this.stack = String(++serial);
    stacks.set(this.stack, { images, role, geometry: this.geometry });
    const ids = Array.from({ length: this.geometry.shape[0] }, (_, z) =>
      imageId(this.stack as string, z),
    );
    await this.viewport.setStack(ids, slice);
  }

  private apply({ window, invert, camera }: Picture): void {
    const [x, y] = camera.centre;
    this.viewport.setProperties({
      voiRange: { lower: window.level - window.width / 2, upper: window.level + window.width / 2 },
      invert,
      interpolationType: Enums.InterpolationType.LINEAR,
    });
    this.viewport.setCamera({
      focalPoint: [x, y, 0],
      position: [x, y, -CAMERA_DISTANCE_MM],
      viewUp: [0, -1, 0],
      viewPlaneNormal: [0, 0, -1],
      parallelScale: (this.host.clientHeight * this.geometry.spacing[2]) / camera.zoom / 2,
    });
    this.viewport.render();
  }
}

export function makeCornerstoneBackend({ hosts, geometry, onLost }: BackendOptions): Backend {
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
    return new Viewport(viewport, host, geometry);
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
