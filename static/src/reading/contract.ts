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
  /** Opaque name of an example image; empty where there is none. */
  readonly example?: string | boolean;
}

export type QuestionKind =
  | "single"
  | "ordinal"
  | "multi"
  | "confidence"
  | "number"
  | "text"
  | "region"
  | "place"
  | "ranking";

/** One thing that must hold of an earlier answer. */
export interface Condition {
  readonly question: string;
  readonly is?: readonly string[];
  readonly not?: readonly string[];
  readonly at_least?: number;
  readonly at_most?: number;
  readonly answered?: boolean;
}

export interface Question {
  readonly code: string;
  readonly text: string;
  readonly kind: QuestionKind;
  readonly required: boolean;
  readonly may_be_not_evaluable: boolean;
  readonly help: string;
  readonly options: readonly Option[];
  /** What a question of kind "region" asks to be drawn, and on which image. */
  readonly region?: { readonly kind: MeasureKind; readonly role: string | null };
  /** Of a confidence: the question it speaks of. */
  readonly bound_to?: string;
  /** Limits of a number or of a confidence on a line. */
  readonly minimum?: number | null;
  readonly maximum?: number | null;
  readonly whole?: boolean;
  readonly unit?: string;
  /** Images beside each other may be judged equal. */
  readonly equal?: boolean;
  /** How many images stand beside each other. */
  readonly places?: number;
  readonly show_if?: {
    readonly all?: readonly Condition[];
    readonly any?: readonly Condition[];
  };
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

/** A number also names an image by its place, and several images in their order. */
export type Value =
  string | number | readonly string[] | readonly number[] | NotEvaluable | RegionAnswer;
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
  /** Place in the reader's order. */
  readonly position: number;
  /** The number that the reader sees: cases of this part that are read, and one. */
  readonly number: number;
  /** Of the steps in which a case is read; earlier ones are sealed. */
  readonly stage: number;
  readonly stages: number;
  /** Practice, with feedback. */
  readonly training: boolean;
  readonly images: Readonly<Record<string, string>>;
}

export interface Draft {
  readonly answers: Answers;
  readonly viewer: ViewerState;
}

/** The answers of an earlier step, as they were given. */
export interface SealedStep {
  readonly form: number;
  readonly stage: number;
  readonly answers: Answers;
}

export interface CurrentReading extends ReadingCase {
  readonly draft: Draft | null;
  readonly sealed: readonly SealedStep[];
}

/** Given and right answer to a question of a practice case. */
export interface Told {
  readonly question: string;
  readonly given: Value | null;
  readonly right: Value;
}

export interface Receipt {
  readonly id: string;
  readonly received_at: string;
  readonly position: number;
  /** After a practice case. */
  readonly feedback?: readonly Told[] | null;
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

/** The practice, or the part of the study that is read now; counted in cases. */
export interface Part {
  readonly training: boolean;
  /** From 1; how many there are. */
  readonly number: number;
  readonly of: number;
  readonly done: number;
  readonly total: number;
  /** The reader's own median for one case, all steps together. */
  readonly case_seconds: number | null;
  /** Numbers of cases after which a break is suggested. */
  readonly breaks: readonly number[];
}

/** How practice went. */
export interface Practice {
  readonly done: number;
  readonly total: number;
  /** Answers that could be right, and how many were. */
  readonly told: number;
  readonly right: number;
  /** Share that the study asks for, 0 to 1. */
  readonly needed: number | null;
  readonly qualified: boolean | null;
}

export interface Waiting {
  readonly reason: "qualification" | "amended" | "washout";
  readonly opens_at: string | null;
  /** Address of the date for a calendar. */
  readonly calendar?: string;
}

export interface StudyState {
  readonly study: { readonly title: string; readonly instructions: string };
  readonly forms: readonly FormSpec[];
  readonly progress: {
    /** Readings of all parts, without practice. */
    readonly done: number;
    readonly total: number;
    readonly part: Part;
  };
  readonly reading: CurrentReading | null;
  /** The cases that come next, in order: none, one or two. */
  readonly upcoming: readonly ReadingCase[];
  /** Cases that were offered to this reader, not answered, and withdrawn meanwhile. */
  readonly withdrawn: readonly Withdrawn[];
  /** Why there is nothing to read now. */
  readonly waiting: Waiting | null;
  readonly practice: Practice | null;
  readonly undo: {
    readonly token: string;
    readonly number: number;
    readonly seconds_left: number;
  } | null;
  readonly last_receipt: Receipt | null;
  readonly state: "running" | "closed";
  readonly server_time: string;
}

/** Milliseconds since the case was shown, and what happened; of input also its length and count. */
export type ClockEvent =
  | readonly [at: number, what: string]
  | readonly [at: number, what: "input", lasted: number, inputs: number];

export interface ClockReading {
  /** Name of the rule that divided the times. */
  readonly rule: string;
  readonly shown_at: string;
  readonly submitted_at: string;
  readonly load_ms: number;
  readonly look_ms: number;
  readonly idle_ms: number;
  readonly away_ms: number;
  readonly events: readonly ClockEvent[];
  /** Events beyond those kept. */
  readonly events_dropped: number;
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
