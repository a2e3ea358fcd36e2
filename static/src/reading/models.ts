/** What the views show, from the state of the session. */
import { isNotEvaluable } from "./answers";
import type { FormSpec, Told, Value } from "./contract";
import { type Form, misfits, questionsToCome } from "./form";
import type { Session } from "./session";
import type { FeedbackRow } from "./views/feedback";
import type { Notice } from "./views/notices";
import type { SaveModel } from "./views/savebar";
import type { StepModel } from "./views/stepbar";
import type { ReceiptView, TopBarModel } from "./views/topbar";
import {
  answersWaiting,
  casesKept,
  placeText,
  readingGoesTo,
  type SaveStep,
  saveText,
  timeLeft,
  timeOfDay,
} from "./words";
import { answerRows, valueText } from "./wording";

function receiptView(session: Session, slow: boolean): ReceiptView {
  if (session.refused.length > 0) return { kind: "refused" };
  const waits = session.sender.failingSince !== null || session.sender.signedOut;
  if (session.waiting.length > 0 && waits) {
    return { kind: "waiting", text: answersWaiting(session.waiting.length) };
  }
  if (slow) return { kind: "saving" };
  if (!session.receipt) return { kind: "none" };
  return { kind: "saved", at: timeOfDay(session.receipt.received_at) };
}

/** Cases of this part that are done, counting those on their way to the server. */
function doneCount(session: Session): number {
  const { done, total } = session.server.progress.part;
  const whole = session.waiting.filter(({ reading }) => reading.stage === reading.stages);
  return Math.min(total, done + whole.length);
}

function leftText({ server }: Session, done: number): string {
  const { total, case_seconds: seconds } = server.progress.part;
  return timeLeft(total - done, seconds);
}

function placeOf({ feedback, number, server, withdrawn }: Session): string {
  const { practice, progress } = server;
  // What is told of the last practice case belongs to the practice, which the server has left.
  if (feedback) return placeText(true, feedback.reading.number, practice?.total ?? 0);
  // A withdrawn case has no number any more: those that are left are counted without it.
  if (withdrawn) return "Case withdrawn";
  return number === null ? "" : placeText(progress.part.training, number, progress.part.total);
}

export function topBarModel(session: Session, slow: boolean): TopBarModel {
  const { study, progress } = session.server;
  const { part } = progress;
  const done = doneCount(session);
  const training = part.training || session.feedback !== null;
  return {
    title: study.title,
    place: placeOf(session),
    left: training ? "" : leftText(session, done),
    done,
    total: part.total,
    breaks: part.breaks,
    ahead: session.nextShare ?? 0,
    receipt: receiptView(session, slow),
    waiting: [...session.refused, ...session.waiting].map((answer) => ({
      number: answer.reading.number,
      time: timeOfDay(answer.queuedAt),
      reason: answer.status === "refused" ? answer.reason : "",
    })),
  };
}

/** Practice, or the step in which the case on screen is read; always there where there are any. */
export function stepModel(session: Session): StepModel | null {
  const { current, server } = session;
  if (!current) return null;
  const { stage, stages, training } = current.reading;
  const step = stages > 1 ? `Step ${stage} of ${stages}` : "";
  const more = stage > 1 ? "more images" : stages > 1 ? "sealed when it is saved" : "";
  const sealed = current.start.sealed.flatMap(({ form, answers }) =>
    answerRows(server.forms[form] as FormSpec, answers),
  );
  if (training) {
    const text = ["with feedback", step.toLowerCase(), more].filter((one) => one !== "").join(", ");
    return { title: "Practice", text, sealed };
  }
  return stages > 1 ? { title: step, text: more, sealed } : null;
}

function sameValue(a: Value | null, b: Value): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** What is told of a practice case, in words. */
export function feedbackRows(session: Session): readonly FeedbackRow[] | null {
  const { feedback, server } = session;
  if (!feedback) return null;
  const spec = server.forms[feedback.reading.form] as FormSpec;
  return feedback.told.flatMap((told) => toldRow(spec, told));
}

function toldRow({ questions, layout }: FormSpec, told: Told): FeedbackRow[] {
  const question = questions.find(({ code }) => code === told.question);
  if (!question) return [];
  const words = (value: Value | null) =>
    value === null ? "none" : valueText(question, value, layout);
  return [
    {
      question: question.text,
      given: isNotEvaluable(told.given) ? "Not evaluable" : words(told.given),
      right: words(told.right),
      agrees: sameValue(told.given, told.right),
    },
  ];
}

export function saveModel(session: Session, form: Form): SaveModel {
  const model = { undo: session.undoOffer(), hint: hint(session) };
  if (session.feedback) return { ...model, text: goOnText(session), enabled: true };
  return { ...model, text: saveButtonText(session, form), enabled: session.canSave };
}

function goOnText({ server, feedback }: Session): string {
  const last =
    server.reading?.training !== true && server.reading?.token !== feedback?.reading.token;
  return last ? "End practice" : "Next practice case";
}

function saveStep(session: Session): SaveStep {
  if (session.current?.leadsOn) return "stage";
  if (session.current?.reading.training) return "answer";
  if (session.isLast) return "finish";
  return session.endsPart ? "part" : "next";
}

function saveButtonText(session: Session, form: Form): string {
  const { current } = session;
  if (!current) return "No case is open";
  if (current.submitting) return session.stuck ? "Kept on this computer" : "Saving";
  const left = misfits(form);
  if (left.length === 0 && !current.shown) return "The image is still loading";
  const missing = left.filter((misfit) => misfit.missing).length;
  return saveText(missing + questionsToCome(form), left.length - missing, saveStep(session));
}

function hint(session: Session): string {
  const { current, nextLoaded, nextShare } = session;
  if (current?.leadsOn) return "";
  if (nextLoaded !== null) {
    return session.disconnectedSince === null ? "Next case ready" : `Case ${nextLoaded} is loaded`;
  }
  if (!current || current.images.complete) {
    return nextShare === null ? "" : `Next case, ${Math.floor(nextShare * 100)} %`;
  }
  return `Loading slices, ${Math.floor(current.images.loaded * 100)} %`;
}

/** The loss of the connection comes first; then what just happened. */
export function noticeFor(session: Session, keepsAnswers: boolean): Notice | null {
  const since = session.disconnectedSince;
  if (since !== null) return disconnected(session, since);
  if (session.notice) return session.notice;
  if (keepsAnswers) return null;
  return {
    tone: "wait",
    title: "This browser keeps no answers",
    text: "Private windows forget them when they close. Close this one only after “Saved”.",
  };
}

function disconnected(session: Session, since: number): Notice {
  const kept = casesKept(session.waiting.map(({ reading }) => reading.number));
  const { current } = session;
  const open = current && !current.submitting ? session.number : null;
  const alone = current?.leadsOn === true || current?.reading.training === true;
  const far = readingGoesTo(open, alone ? null : session.nextLoaded);
  const goesOn = open !== null;
  return {
    tone: "wait",
    icon: "waiting",
    title: `No connection since ${timeOfDay(since)}.${goesOn ? " Keep reading." : ""}`,
    text: `${kept} ${far}`,
  };
}
