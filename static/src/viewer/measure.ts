import type { Geometry, Point } from "./geometry";

/** A length, or an ellipse inside the box between two corners, on one slice. */
export interface Measure {
  readonly kind: "length" | "ellipse";
  readonly slice: number;
  readonly from: Point;
  readonly to: Point;
}

export interface EllipseStatistics {
  readonly n: number;
  readonly mean: number;
  /** Population standard deviation of the values inside. */
  readonly sd: number;
  readonly area: number;
}

export function lengthMm(measure: Measure): number {
  return Math.hypot(measure.to[0] - measure.from[0], measure.to[1] - measure.from[1]);
}

/** Values of the voxels whose centre lies inside the ellipse. */
export function valuesInside(measure: Measure, geometry: Geometry, pixels: Int16Array): number[] {
  const [, ny, nx] = geometry.shape;
  const [, dy, dx] = geometry.spacing;
  const cx = (measure.from[0] + measure.to[0]) / 2;
  const cy = (measure.from[1] + measure.to[1]) / 2;
  const rx = Math.abs(measure.to[0] - measure.from[0]) / 2;
  const ry = Math.abs(measure.to[1] - measure.from[1]) / 2;
  const values: number[] = [];
  if (rx === 0 || ry === 0) return values;
  for (let row = 0; row < ny; row++) {
    for (let column = 0; column < nx; column++) {
      const inside = ((column * dx - cx) / rx) ** 2 + ((row * dy - cy) / ry) ** 2 <= 1;
      if (inside) values.push(pixels[row * nx + column] as number);
    }
  }
  return values;
}

export function ellipseStatistics(
  measure: Measure,
  geometry: Geometry,
  pixels: Int16Array,
): EllipseStatistics | null {
  const values = valuesInside(measure, geometry, pixels);
  const n = values.length;
  if (n === 0) return null;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n;
  const width = Math.abs(measure.to[0] - measure.from[0]);
  const height = Math.abs(measure.to[1] - measure.from[1]);
  return { n, mean, sd: Math.sqrt(variance), area: (Math.PI * width * height) / 4 };
}
