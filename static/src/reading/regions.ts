/** Places drawn on the image as answers, between the form and the panes. */
import { sliceAt, type Vec3 } from "../viewer/geometry";
import { gridOf, type Layout } from "../viewer/layout";
import type { Measure, Measured, MeasureKind } from "../viewer/measure";
import { gridIn } from "../viewer/reformat";
import { decimalsFor, formatNumber, withUnit } from "../viewer/values";
import type { Wanted } from "../viewer/drawing";
import { regionOf } from "./answers";
import type { Question, Region } from "./contract";
import { type Form, isAsked } from "./form";

const DRAW: Readonly<Record<MeasureKind, string>> = {
  point: "Mark the place on the image",
  length: "Draw the length on the image",
  ellipse: "Draw an ellipse on the image",
};

/** What to draw for the active question, if it asks for a place. */
export function wantedFor(form: Form): Wanted | null {
  const question = form.questions[form.active];
  if (!question?.region || !isAsked(form, form.active)) return null;
  return { tag: question.code, ...question.region };
}

/** The measures that belong to answers of a form. */
export function answerMeasures(form: Form): Omit<Measure, "id">[] {
  return form.questions.flatMap(({ code }, index) => {
    const region = regionOf(form.answers[code]);
    if (!region || !isAsked(form, index)) return [];
    const { kind, role, plane, points_mm: points } = region;
    return [{ tag: code, kind, role, plane, points }];
  });
}

export function regionFrom(measure: Measure, measured: Measured): Region {
  const { kind, role, plane, points } = measure;
  return { kind, role, plane, points_mm: points, measured };
}

/** What a question asks for, in words. */
export function regionPrompt({ region }: Question, layout: Layout): string {
  if (!region) return "";
  const label = layout.slots.find(({ role }) => role === region.role)?.label;
  return label === undefined ? DRAW[region.kind] : `${DRAW[region.kind]}: ${label}`;
}

function measuredText({ measured }: Region, unit: string): string {
  const number = (value: number) => formatNumber(value, decimalsFor(value, 0.001));
  if ("length_mm" in measured) return `${measured.length_mm.toFixed(1)} mm`;
  if ("mean" in measured) {
    const spread = withUnit(`${number(measured.mean)} ± ${number(measured.sd)}`, unit);
    return `${spread}, ${measured.area_mm2.toFixed(0)} mm²`;
  }
  return unit === "" ? "Marked" : withUnit(number(measured.level), unit);
}

/** "12.4 mm on slice 43, T1c". */
export function regionText(region: Region, layout: Layout): string {
  const slot = layout.slots.find(({ role }) => role === region.role);
  if (!slot) return "";
  const grid = gridIn(gridOf(slot), region.plane);
  const slice = sliceAt(grid, region.points_mm[0] as Vec3) + 1;
  const plane = region.plane === slot.plane ? "" : `${region.plane} `;
  const where = grid.shape[0] === 1 ? "" : ` on ${plane}slice ${slice},`;
  return `${measuredText(region, slot.value?.unit ?? "")}${where} ${slot.label}`;
}
