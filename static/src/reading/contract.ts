/** What the server sends and accepts; the names are those on the wire. */
import type { Slot } from "../viewer/pane";
import type { Chunk } from "../viewer/plan";
import type { ViewerState } from "../viewer/viewer";

export interface Option {
  readonly code: string;
  readonly label: string;
  readonly anchor: string;
}

export interface Question {
  readonly code: string;
  readonly text: string;
  readonly kind: "single" | "ordinal" | "multi";
  readonly required: boolean;
  readonly may_be_not_evaluable: boolean;
  readonly help: string;
  readonly options: readonly Option[];
}

export interface NotEvaluable {
  readonly not_evaluable: true;
}

export type Value = string | readonly string[] | NotEvaluable;
export type Answers = Readonly<Record<string, Value>>;

export interface Layout {
  readonly grid: string;
  readonly slots: readonly Slot[];
  readonly shape: readonly [number, number, number];
  readonly spacing_mm: readonly [number, number, number];
  readonly chunks: readonly Chunk[];
  readonly window: { readonly width: number; readonly level: number };
}

export interface ReadingCase {
  readonly token: string;
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

export interface StudyState {
  readonly study: { readonly title: string; readonly instructions: string };
  readonly layout: Layout;
  readonly questions: readonly Question[];
  readonly progress: {
    readonly done: number;
    readonly total: number;
    readonly median_seconds: number | null;
    readonly breaks: readonly number[];
  };
  readonly reading: CurrentReading | null;
  readonly next: ReadingCase | null;
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
