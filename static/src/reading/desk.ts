/** Panes, tools and questions of each form; the one in use is on the page. */
import { h } from "../shared/dom";
import type { MakeBackend } from "../viewer/backend";
import type { KeyMap } from "../viewer/keymap";
import type { MouseMap } from "../viewer/layout";
import type { CaseImages } from "../viewer/loader";
import { Rail, type RailExtra } from "../viewer/rail";
import type { ViewerHooks } from "../viewer/stage";
import type { ViewerExtras, ViewerState } from "../viewer/state";
import { Viewer } from "../viewer/viewer";
import type { FormSpec } from "./contract";
import type { Screen } from "./current";
import { type QuestionHooks, QuestionList } from "./views/questions";

interface DeskHooks {
  readonly viewer: ViewerHooks;
  readonly questions: QuestionHooks;
  readonly rail: RailExtra;
  /** Another form is on the page. */
  changed(): void;
}

/** What is shown in one layout. Forms that differ in their questions alone share it. */
interface Panes {
  readonly key: string;
  readonly viewer: Viewer;
  readonly rail: Rail;
}

/** A browser has few graphics contexts: those of the last layouts are kept. */
const LAYOUTS_KEPT = 2;
const MANY_QUESTIONS = 3;

export class Desk implements Screen {
  /** Where the parts of the form in use stand. */
  readonly places = { rail: h("div"), panes: h("div"), questions: h("div") };
  private readonly panes: Panes[] = [];
  private readonly lists = new Map<number, QuestionList>();
  private index = -1;
  private current!: Panes;
  private keys: KeyMap | null = null;
  private mouse: MouseMap | null = null;

  constructor(
    private readonly forms: readonly FormSpec[],
    private readonly makeBackend: MakeBackend,
    private readonly hooks: DeskHooks,
  ) {
    this.show(0);
  }

  get viewer(): Viewer {
    return this.current.viewer;
  }

  get rail(): Rail {
    return this.current.rail;
  }

  get questions(): QuestionList {
    return this.lists.get(this.index) as QuestionList;
  }

  get spec(): FormSpec {
    return this.forms[this.index] as FormSpec;
  }

  get many(): boolean {
    return this.spec.questions.length > MANY_QUESTIONS;
  }

  showKeys(keys: KeyMap): void {
    this.keys = keys;
    for (const { rail } of this.panes) rail.showKeys(keys);
  }

  setMouse(mouse: MouseMap): void {
    this.mouse = mouse;
    for (const { viewer } of this.panes) viewer.setMouse(mouse);
  }

  // The screen of the session.

  open(form: number, images: CaseImages, state: ViewerState, extras: ViewerExtras | null): void {
    this.show(form);
    this.viewer.open(images, state, extras);
  }

  close(): void {
    this.viewer.close();
  }

  state(): ViewerState {
    return this.viewer.state();
  }

  extras(): ViewerExtras {
    return this.viewer.extras();
  }

  // Changing the form.

  private show(form: number): void {
    if (form === this.index) return;
    const before = this.index < 0 ? null : this.current;
    const list = this.listOf(form);
    put(this.places.questions, list.element);
    const panes = this.panesOf(form);
    if (panes !== before) {
      before?.viewer.close();
      put(this.places.panes, panes.viewer.element);
      put(this.places.rail, panes.rail.element);
      panes.rail.show(panes.viewer.controls);
    }
    this.index = form;
    this.current = panes;
    this.keepFew(panes);
    if (before) this.hooks.changed();
  }

  private listOf(form: number): QuestionList {
    const { questions, layout } = this.forms[form] as FormSpec;
    const list = this.lists.get(form) ?? new QuestionList(questions, this.hooks.questions, layout);
    this.lists.set(form, list);
    return list;
  }

  private panesOf(form: number): Panes {
    const { layout } = this.forms[form] as FormSpec;
    const key = JSON.stringify(layout);
    const found = this.panes.find((one) => one.key === key) ?? this.makePanes(form, key);
    const others = this.panes.filter((one) => one !== found);
    this.panes.splice(0, this.panes.length, found, ...others);
    return found;
  }

  private makePanes(form: number, key: string): Panes {
    const { layout } = this.forms[form] as FormSpec;
    const viewer = new Viewer(layout, this.makeBackend, {
      ...this.hooks.viewer,
      onControls: (controls) => rail.show(controls),
    });
    const run = (action: Parameters<Viewer["run"]>[0]) => void viewer.run(action);
    const rail = new Rail(viewer.offer, run, this.hooks.rail);
    if (this.keys) rail.showKeys(this.keys);
    if (this.mouse) viewer.setMouse(this.mouse);
    return { key, viewer, rail };
  }

  /** The last used come first; the others give their graphics back until they are needed. */
  private keepFew(current: Panes): void {
    for (const { viewer } of this.panes.slice(LAYOUTS_KEPT)) {
      if (viewer !== current.viewer) viewer.release();
    }
  }
}

/** Places of the page take their parts as only child and are not boxes of their own. */
function put(place: HTMLElement, part: HTMLElement): void {
  place.className = "place";
  place.replaceChildren(part);
}
