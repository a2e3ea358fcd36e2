/** Numbers as a reader sees them. */
import type { ValueScale } from "./layout";

const MINUS = "\u2212";
const MOST_DECIMALS = 4;

export function realValue(level: number, scale: ValueScale | null): number {
  return scale ? scale.slope * level + scale.intercept : level;
}

/** Three figures, but none finer than one step of the stored levels. */
export function decimalsFor(value: number, step: number): number {
  const size = Math.abs(value);
  const figures = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  const finest = Math.max(0, Math.ceil(-Math.log10(Math.abs(step) || 1)));
  return Math.min(MOST_DECIMALS, figures, finest);
}

export function formatNumber(value: number, decimals: number): string {
  const text = Math.abs(value).toFixed(decimals);
  return value < 0 && Number(text) !== 0 ? `${MINUS}${text}` : text;
}

/** A grey level as a whole number; a real value with its unit. */
export function formatLevel(level: number, scale: ValueScale | null): string {
  if (!scale) return formatNumber(level, 0);
  const value = realValue(level, scale);
  return withUnit(formatNumber(value, decimalsFor(value, scale.slope)), scale.unit);
}

export function withUnit(text: string, unit: string): string {
  return unit === "" ? text : `${text}\u202f${unit}`;
}

/** A mean or spread in the unit: one figure more than single values have. */
export function formatStatistic(value: number, scale: ValueScale | null): string {
  if (!scale) return formatNumber(value, 0);
  return formatNumber(value, decimalsFor(value, scale.slope / 10));
}

/** A bound of a range: no more figures than it needs. */
export function formatBound(level: number, scale: ValueScale | null): string {
  const value = realValue(level, scale);
  const whole = Math.abs(value - Math.round(value)) < 1e-6;
  return formatNumber(value, whole ? 0 : decimalsFor(value, scale?.slope ?? 1));
}
