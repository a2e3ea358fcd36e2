/** What the server sends and accepts; the names are those on the wire. */
import type { Plane, Vec3 } from "../viewer/geometry";
import type { Layout } from "../viewer/layout";
import type { Measured, MeasureKind } from "../viewer/measure";
import type { ViewerState } from "../viewer/state";

export type { Layout };

export interface Option {
  readonly code: string;
  readonly label: string;
  readonly anchor: string;
}

export interface Question {
  readonly code: string;
  readonly text: string;
  readonly kind: "single" | "ordinal" | "multi" | "region";
  readonly required: boolean;
  readonly may_be_not_evaluable: boolean;
  readonly help: string;
  readonly options: readonly Option[];
  /** What a question of kind "region" asks to be drawn, and on which image. */
  readonly region?: { readonly kind: MeasureKind; readonly role: string | null };
}

/** A place of the patient given as an answer, with what was measured there. */
export interface Region {
  readonly kind: MeasureKind;
  readonly role: string;
  readonly plane: Plane;
  readonly points_mm: readonly Vec3[];
  readonly measured: Measured;
}

export interface RegionAnswer {
  readonly region: Region;
}

export interface NotEvaluable {
  readonly not_evaluable: true;
}

export type Value = string | readonly string[] | NotEvaluable | RegionAnswer;
export type Answers = Readonly<Record<string, Value>>;

/** What is shown and asked in one arm; arms have no name here. */
export interface FormSpec {
  readonly layout: Layout;
  readonly questions: readonly Question[];
}

export interface ReadingCase {
  readonly token: string;
  /** Index of its form. */
  readonly form: number;
  readonly position: number;
  readonly images: Readonly<Record<string, string>>;
}

export interface Draft {
  readonly answers: Answers;
  readonly viewer: ViewerState;
}

export interface CurrentReading extends ReadingCase {
  readonly draft: Draft | null;
}

export interface Receipt {
  readonly id: string;
  readonly received_at: string;
  readonly position: number;
}

export interface FullReceipt extends Receipt {
  readonly late: boolean;
  readonly reason: string;
}

export interface Withdrawn {
  readonly token: string;
  readonly position: number;
  readonly at: string;
}

export interface StudyState {
  readonly study: { readonly title: string; readonly instructions: string };
  readonly forms: readonly FormSpec[];
  readonly progress: {
    readonly done: number;
    readonly total: number;
    readonly median_seconds: number | null;
    readonly breaks: readonly number[];
  };
  readonly reading: CurrentReading | null;
  /** The cases that come next, in order: none, one or two. */
  readonly upcoming: readonly ReadingCase[];
  /** Cases that were offered to this reader, not answered, and withdrawn meanwhile. */
  readonly withdrawn: readonly Withdrawn[];
  readonly undo: {
    readonly token: string;
    readonly position: number;
    readonly seconds_left: number;
  } | null;
  readonly last_receipt: Receipt | null;
  readonly state: "running" | "closed";
  readonly server_time: string;
}

export interface ClockReading {
  readonly shown_at: string;
  readonly submitted_at: string;
  readonly load_ms: number;
  readonly look_ms: number;
  readonly idle_ms: number;
  readonly away_ms: number;
}

export interface Submission {
  readonly key: string;
  readonly answers: Answers;
  readonly clock: ClockReading;
  readonly viewer: ViewerState;
}

export interface SubmissionReply {
  readonly receipt: FullReceipt;
  readonly state: StudyState;
}

/** The reader's own keys and mouse. */
export interface Preferences {
  readonly keys: Readonly<Record<string, string>>;
  readonly mouse: Layout["mouse"];
}
