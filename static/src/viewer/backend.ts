import type { MapName } from "./colour";
import type { Camera, Grid } from "./geometry";
import type { CaseImages } from "./loader";

export interface Window {
  readonly width: number;
  readonly level: number;
}

/** Everything needed to draw one pane. */
export interface Picture {
  readonly images: CaseImages;
  readonly role: string;
  /** Geometry in the plane shown. */
  readonly grid: Grid;
  readonly slice: number;
  /** Changes when a cut across the stored slices has to be made anew. */
  readonly version: number;
  readonly window: Window;
  readonly map: MapName;
  readonly invert: boolean;
  readonly smooth: boolean;
  readonly camera: Camera;
}

/** What draws pictures: Cornerstone3D, or a plain canvas where there is no WebGL. */
export interface Backend {
  draw(pane: number, picture: Picture): Promise<void>;
  clear(pane: number): void;
  resize(): void;
  dispose(): void;
}

export interface BackendOptions {
  readonly hosts: readonly HTMLElement[];
  readonly onLost: () => void;
}

export type MakeBackend = (options: BackendOptions) => Backend;

export function hasWebGl(): boolean {
  const gl = document.createElement("canvas").getContext("webgl2");
  gl?.getExtension("WEBGL_lose_context")?.loseContext();
  return gl !== null;
}

/** The best backend of this browser; Cornerstone3D is fetched only where it can run. */
export async function loadBackend(): Promise<MakeBackend> {
  if (!hasWebGl()) return (await import("./canvas")).makeCanvasBackend;
  return (await import("./panes")).makeCornerstoneBackend;
}
