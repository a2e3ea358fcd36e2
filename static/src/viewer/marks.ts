/** Measures as lines and words over an image. */
import { svg } from "../shared/dom";
import { type Camera, type Grid, type Point, planeToScreen, type Size } from "./geometry";
import type { SlotLayout } from "./layout";
import { ellipseStatistics, ends, handles, lengthMm, type Measure } from "./measure";
import { formatStatistic, withUnit } from "./values";

export interface MarkContext {
  readonly slot: SlotLayout;
  readonly grid: Grid;
  readonly camera: Camera;
  readonly size: Size;
  readonly pixels: Int16Array | null;
  readonly selected: string | null;
  readonly numberOf: (measure: Measure) => number;
}

const HANDLE_PX = 4;
const POINT_PX = 14;
/** Words go to the left of what lies in the right part of the pane. */
const TURN = 0.55;
const LINE_HEIGHT = 17;

function words(measure: Measure, { slot, grid, pixels, numberOf }: MarkContext): string[] {
  if (measure.kind === "length") return [`${lengthMm(measure).toFixed(1)} mm`];
  if (measure.kind === "point") {
    return measure.tag === undefined ? [String(numberOf(measure))] : [];
  }
  const found = pixels && ellipseStatistics(measure, grid, pixels);
  if (!found) return [];
  const scale = slot.value;
  const mean = formatStatistic(
    scale ? scale.slope * found.mean + scale.intercept : found.mean,
    scale,
  );
  const sd = formatStatistic(found.sd * Math.abs(scale?.slope ?? 1), scale);
  return [
    withUnit(`${mean} ± ${sd}`, scale?.unit ?? ""),
    `${found.area.toFixed(0)} mm², n ${found.n}`,
  ];
}

function shape(measure: Measure, from: Point, to: Point): SVGElement {
  const { kind } = measure;
  const middle = { cx: (from[0] + to[0]) / 2, cy: (from[1] + to[1]) / 2 };
  if (kind === "point") return svg("circle", { class: "measure", ...middle, r: POINT_PX });
  if (kind === "ellipse") {
    return svg("ellipse", {
      class: "measure",
      ...middle,
      rx: Math.abs(to[0] - from[0]) / 2,
      ry: Math.abs(to[1] - from[1]) / 2,
    });
  }
  return svg("line", { class: "measure", x1: from[0], y1: from[1], x2: to[0], y2: to[1] });
}

function rows(lines: readonly string[], x: number, y: number, anchor: string): SVGElement {
  const spans = lines.map((line, at) => svg("tspan", { x, y: y + at * LINE_HEIGHT }, line));
  return svg("text", { "text-anchor": anchor }, ...spans);
}

/** Words stand beside a line or a point, and below an ellipse. */
function text(
  lines: readonly string[],
  from: Point,
  to: Point,
  size: Size,
  below: boolean,
): SVGElement {
  if (below) {
    const x = (from[0] + to[0]) / 2;
    const y = Math.max(from[1], to[1]) + LINE_HEIGHT;
    return rows(lines, x, y, "middle");
  }
  const left = Math.max(from[0], to[0]) > size.width * TURN;
  const x = left ? Math.min(from[0], to[0]) - 10 : Math.max(from[0], to[0]) + 10;
  const y = (from[1] + to[1]) / 2 + 5 - ((lines.length - 1) * LINE_HEIGHT) / 2;
  return rows(lines, x, y, left ? "end" : "start");
}

export function drawMeasure(measure: Measure, context: MarkContext): SVGElement[] {
  const { camera, size } = context;
  const screen = (point: Point) => planeToScreen(camera, size, point);
  const [from, to] = ends(measure).map(screen) as [Point, Point];
  const reach = measure.kind === "point" ? POINT_PX : 0;
  const wide: [Point, Point] = [
    [from[0] - reach, from[1]],
    [to[0] + reach, to[1]],
  ];
  const chosen = measure.id === context.selected;
  const group = svg(
    "g",
    { class: `${chosen ? "is-selected" : ""}${measure.tag === undefined ? "" : " is-answer"}` },
    shape(measure, from, to),
    ...(chosen ? handles(measure) : []).map((handle) => {
      const [x, y] = screen(handle);
      return svg("rect", {
        class: "handle",
        x: x - HANDLE_PX,
        y: y - HANDLE_PX,
        width: 2 * HANDLE_PX,
        height: 2 * HANDLE_PX,
      });
    }),
    text(words(measure, context), wide[0], wide[1], size, measure.kind === "ellipse"),
  );
  return [group];
}
