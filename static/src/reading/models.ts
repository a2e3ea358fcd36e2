/** What the views show, from the state of the session. */
import { type Form, missing } from "./answers";
import type { Session } from "./session";
import type { CurtainModel } from "./views/curtains";
import type { Notice } from "./views/notices";
import type { SaveModel } from "./views/savebar";
import type { ReceiptView, TopBarModel } from "./views/topbar";
import {
  answersWaiting,
  casesKept,
  pausedText,
  readingGoesTo,
  saveText,
  timeLeft,
  timeOfDay,
} from "./words";

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

/** Readings done, counting those on their way to the server. */
function doneCount(session: Session): number {
  const { done, total } = session.server.progress;
  return Math.min(total, done + session.waiting.length);
}

export function topBarModel(session: Session, slow: boolean): TopBarModel {
  const { study, progress } = session.server;
  const done = doneCount(session);
  const position = session.current?.position;
  return {
    title: study.title,
    place: position === undefined ? "" : `Case ${position} of ${progress.total}`,
    left: timeLeft(progress.total - done, progress.median_seconds),
    done,
    total: progress.total,
    breaks: progress.breaks,
    ahead: session.nextShare ?? 0,
    receipt: receiptView(session, slow),
    waiting: [...session.refused, ...session.waiting].map((answer) => ({
      position: answer.reading.position,
      time: timeOfDay(answer.queuedAt),
      reason: answer.status === "refused" ? answer.reason : "",
    })),
  };
}

export function saveModel(session: Session, form: Form): SaveModel {
  const left = missing(form).length;
  return {
    text: saveButtonText(session, left),
    enabled: session.canSave,
    undo: session.undoOffer(),
    hint: hint(session),
  };
}

function saveButtonText(session: Session, left: number): string {
  const { current } = session;
  if (!current) return "No case is open";
  if (current.submitting) return session.stuck ? "Kept on this computer" : "Saving";
  if (left === 0 && !current.shown) return "The image is still loading";
  return saveText(left, session.isLast);
}

function hint(session: Session): string {
  const { current, nextLoaded, nextShare } = session;
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
  const kept = casesKept(session.waiting.map(({ reading }) => reading.position));
  const { current } = session;
  const open = current && !current.submitting ? current.position : null;
  const far = readingGoesTo(open, session.nextLoaded);
  const goesOn = open !== null;
  return {
    tone: "wait",
    icon: "waiting",
    title: `No connection since ${timeOfDay(since)}.${goesOn ? " Keep reading." : ""}`,
    text: `${kept} ${far}`,
  };
}

export interface CurtainContext {
  readonly begun: boolean;
  readonly home: string;
  readonly begin: () => void;
  readonly goOn: () => void;
  readonly undo: () => void;
}

export function curtainFor(session: Session, context: CurtainContext): CurtainModel | null {
  const { server } = session;
  if (server.state === "closed" && !session.current) return closed(session, context);
  if (session.finished) return finished(session, context);
  if (!context.begun) return begin(session, context);
  return session.paused ? paused(session, context) : null;
}

function begin(session: Session, { begin: run, home }: CurtainContext): CurtainModel {
  const { study, progress } = session.server;
  const paragraphs = study.instructions.split(/\n\s*\n/).filter((text) => text.trim() !== "");
  return {
    title: study.title,
    lines: [
      `Case ${session.current?.position ?? progress.done + 1} of ${progress.total}: ${timeLeft(progress.total - progress.done, progress.median_seconds)}. You can stop after any case; nothing is lost.`,
    ],
    paragraphs,
    primary: { label: "Begin", cap: "⏎", run },
    link: { label: "Leave", href: home },
    wide: true,
  };
}

function paused(session: Session, { goOn: run, home }: CurtainContext): CurtainModel {
  const { progress } = session.server;
  return {
    title: `Paused at case ${session.current?.position ?? progress.done + 1}`,
    lines: [pausedText(progress.done, session.waiting.length)],
    primary: { label: "Go on", cap: "⏎", run },
    link: { label: "Leave", href: home },
  };
}

function keptLines(session: Session): string[] {
  const waiting = session.waiting.length;
  const receipt = session.receipt ? `Last receipt ${timeOfDay(session.receipt.received_at)}.` : "";
  if (waiting === 0) return [`Nothing waits on this computer. ${receipt}`.trim()];
  return [`${answersWaiting(waiting)} on this computer. Keep this page open until it is sent.`];
}

function finished(session: Session, { home, undo }: CurtainContext): CurtainModel {
  const offer = session.undoOffer();
  const { total } = session.server.progress;
  return {
    title: total === 1 ? "The case is read" : `All ${total} cases are read`,
    lines: [
      ...keptLines(session),
      ...(session.notice ? [`${session.notice.title}. ${session.notice.text}`] : []),
      ...(offer ? [`Case ${offer.position} can be undone for ${offer.seconds} s with key U.`] : []),
    ],
    ...(offer ? { secondary: { label: "Undo", cap: "U", run: undo } } : {}),
    link: { label: "Back to my studies", href: home },
  };
}

function closed(session: Session, { home }: CurtainContext): CurtainModel {
  const { done, total } = session.server.progress;
  return {
    title: "Reading is closed",
    lines: [
      `The study has ended its reading. ${done} of ${total} cases are read and kept.`,
      ...keptLines(session),
    ],
    link: { label: "Back to my studies", href: home },
  };
}
