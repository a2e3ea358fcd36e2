/** Frames and scroll bars of a window, CSS pixels: so much it may be wider than its page. */
const FRAME = 24;

/** Zoom of the page, 1 for 100 %; null where the browser does not tell. */
export function zoomOf(outerWidth: number, innerWidth: number): number | null {
  if (outerWidth <= 0 || innerWidth <= 0) return null;
  if (Math.abs(outerWidth - innerWidth) <= FRAME) return 1;
  return Math.round((100 * outerWidth) / innerWidth) / 100;
}

/**
 * Side of a square in CSS pixels so that each pixel of its picture fills a whole number of pixels
 * of the screen, as many as fit into one CSS pixel.
 */
export function sharpSide(natural: number, pixelRatio: number): number {
  const whole = Math.max(1, Math.floor(pixelRatio + 0.001));
  return (natural * whole) / pixelRatio;
}

/** How far to move something at this place so that it begins on a pixel of the screen. */
export function toPixel(place: number, pixelRatio: number): number {
  return Math.round(place * pixelRatio) / pixelRatio - place;
}
