/** Grid shared by all images of a session: order z, y, x as on the wire. */
export interface Geometry {
  readonly shape: readonly [nz: number, ny: number, nx: number];
  readonly spacing: readonly [dz: number, dy: number, dx: number];
}

/** Point in the image plane, in mm from the centre of the first voxel: x to Left, y to Posterior. */
export type Point = readonly [x: number, y: number];

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Which part of the plane a pane shows. `zoom` is CSS pixels per column of the image. */
export interface Camera {
  readonly centre: Point;
  readonly zoom: number;
}

export const ZOOM_MIN = 0.25;
export const ZOOM_MAX = 40;

export function pixelsPerMm(camera: Camera, geometry: Geometry): number {
  return camera.zoom / geometry.spacing[2];
}

/** Camera that shows the whole image as large as the pane allows. */
export function fitCamera(geometry: Geometry, pane: Size): Camera {
  const [, ny, nx] = geometry.shape;
  const [, dy, dx] = geometry.spacing;
  const centre: Point = [((nx - 1) * dx) / 2, ((ny - 1) * dy) / 2];
  if (pane.width <= 0 || pane.height <= 0) return { centre, zoom: 1 };
  const scale = Math.min(pane.width / (nx * dx), pane.height / (ny * dy));
  return { centre, zoom: scale * dx };
}

export function screenToPlane(camera: Camera, geometry: Geometry, pane: Size, at: Point): Point {
  const scale = pixelsPerMm(camera, geometry);
  return [
    camera.centre[0] + (at[0] - pane.width / 2) / scale,
    camera.centre[1] + (at[1] - pane.height / 2) / scale,
  ];
}

export function planeToScreen(camera: Camera, geometry: Geometry, pane: Size, at: Point): Point {
  const scale = pixelsPerMm(camera, geometry);
  return [
    pane.width / 2 + (at[0] - camera.centre[0]) * scale,
    pane.height / 2 + (at[1] - camera.centre[1]) * scale,
  ];
}

/** Index of the voxel under a point of the plane, or null outside the image. */
export function voxelAt(
  geometry: Geometry,
  at: Point,
): readonly [row: number, column: number] | null {
  const column = Math.round(at[0] / geometry.spacing[2]);
  const row = Math.round(at[1] / geometry.spacing[1]);
  const inside = row >= 0 && row < geometry.shape[1] && column >= 0 && column < geometry.shape[2];
  return inside ? [row, column] : null;
}

/** Zoom by a factor so that the point of the image under `at` stays under it. */
export function zoomAt(
  camera: Camera,
  geometry: Geometry,
  pane: Size,
  at: Point,
  factor: number,
): Camera {
  const zoom = Math.min(ZOOM_MAX, Math.max(ZOOM_MIN, camera.zoom * factor));
  const fixed = screenToPlane(camera, geometry, pane, at);
  const shift = camera.zoom / zoom;
  return {
    zoom,
    centre: [
      fixed[0] + (camera.centre[0] - fixed[0]) * shift,
      fixed[1] + (camera.centre[1] - fixed[1]) * shift,
    ],
  };
}

/** Move the image by so many CSS pixels; the centre of view stays within the image. */
export function panBy(camera: Camera, geometry: Geometry, dx: number, dy: number): Camera {
  const scale = pixelsPerMm(camera, geometry);
  const [, ny, nx] = geometry.shape;
  const limitX = (nx - 1) * geometry.spacing[2];
  const limitY = (ny - 1) * geometry.spacing[1];
  return {
    zoom: camera.zoom,
    centre: [
      Math.min(limitX, Math.max(0, camera.centre[0] - dx / scale)),
      Math.min(limitY, Math.max(0, camera.centre[1] - dy / scale)),
    ],
  };
}

const SHORTEST_BAR_MM = 0.5;
const BAR_LENGTHS_MM = [SHORTEST_BAR_MM, 1, 2, 5, 10, 20, 50, 100, 200];

/** Longest round length that fits into `room` CSS pixels. */
export function scaleBar(camera: Camera, geometry: Geometry, room: number) {
  const scale = pixelsPerMm(camera, geometry);
  const fitting = BAR_LENGTHS_MM.filter((mm) => mm * scale <= room);
  const mm = fitting.at(-1) ?? SHORTEST_BAR_MM;
  const label = mm >= 10 ? `${mm / 10} cm` : `${mm} mm`;
  return { width: mm * scale, label };
}
