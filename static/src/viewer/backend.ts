import type { Camera, Geometry } from "./geometry";
import type { CaseImages } from "./loader";

export interface Window {
  readonly width: number;
  readonly level: number;
}

/** Everything needed to draw one pane. */
export interface Picture {
  readonly images: CaseImages;
  readonly role: string;
  readonly slice: number;
  readonly window: Window;
  readonly invert: boolean;
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
  readonly geometry: Geometry;
  readonly onLost: () => void;
}

export type MakeBackend = (options: BackendOptions) => Backend;

export function hasWebGl(): boolean {
  const gl = document.createElement("canvas").getContext("webgl2");
  gl?.getExtension("WEBGL_lose_context")?.loseContext();
  return gl !== null;
}
