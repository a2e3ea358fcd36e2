/** The upload page: drop zone, options that depend on another, the start button. */

import { h, icon, setText } from "../shared/dom";
import { fromDrop, fromInput, type Chosen } from "./files";
import { HttpServer, type Upload } from "./server";
import { paceText } from "./speed";
import { Uploader } from "./uploader";
import { UploadView } from "./view";

const REDRAW_MS = 200;

export class UploadPage {
  private readonly uploader: Uploader;
  private readonly view: UploadView;
  private readonly start: HTMLButtonElement;
  private readonly reason: HTMLElement;
  private readonly ready: string;
  private readonly hadFiles: boolean;
  private redraw: ReturnType<typeof setTimeout> | null = null;
  private leaving = false;

  constructor(private readonly form: HTMLFormElement) {
    const { upload = "", import: known = null } = form.dataset;
    const csrf = (element(form, "[name=csrfmiddlewaretoken]") as HTMLInputElement).value;
    this.uploader = new Uploader(new HttpServer(upload, csrf, known), () => this.changed());
    this.view = new UploadView(element(form, "[data-upload-list]"), this.uploader);
    this.start = element(form, "[data-upload-start]") as HTMLButtonElement;
    this.reason = element(form, "[data-upload-reason]");
    this.ready = this.reason.textContent;
    this.hadFiles = form.querySelector("[data-upload-before]") !== null;
    this.start.textContent = "Start import";
    this.makeButtons();
    this.listen();
    this.drawStart();
  }

  private makeButtons(): void {
    const drop = element(this.form, "[data-upload-drop]");
    setText(element(drop, "[data-upload-title]"), "Drop folders, files or zips here");
    const files = h("input", { type: "file", multiple: true, class: "visually-hidden" });
    const folder = h("input", { type: "file", multiple: true, class: "visually-hidden" });
    folder.webkitdirectory = true;
    for (const input of [files, folder]) {
      input.tabIndex = -1;
      input.setAttribute("aria-hidden", "true");
      input.addEventListener("change", () => {
        this.take(fromInput(input));
        input.value = ""; // the same choice again is a change again
      });
    }
    const buttons = h(
      "div",
      { class: "row" },
      button("Choose folder", () => folder.click()),
      button("Choose files", () => files.click()),
    );
    element(drop, "[data-upload-plain]").replaceChildren(buttons, files, folder);
  }

  private listen(): void {
    const drop = element(this.form, "[data-upload-drop]");
    for (const name of ["dragenter", "dragover"]) {
      drop.addEventListener(name, (event) => {
        event.preventDefault();
        drop.classList.add("is-over");
      });
    }
    for (const name of ["dragleave", "drop"]) {
      drop.addEventListener(name, () => drop.classList.remove("is-over"));
    }
    drop.addEventListener("drop", (event) => {
      event.preventDefault();
      if (event.dataTransfer) void fromDrop(event.dataTransfer).then((found) => this.take(found));
    });
    // A file that misses the zone must not replace the page.
    for (const name of ["dragover", "drop"]) {
      window.addEventListener(name, (event) => event.preventDefault());
    }
    window.addEventListener("beforeunload", (event) => {
      if (this.uploader.busy && !this.leaving) event.preventDefault();
    });
    this.form.addEventListener("submit", () => (this.leaving = true));
  }

  private take(chosen: readonly Chosen[]): void {
    if (chosen.length > 0) void this.uploader.add(chosen);
  }

  /** Draws at most five times a second, however many files are on their way. */
  private changed(): void {
    this.redraw ??= setTimeout(() => {
      this.redraw = null;
      this.view.draw();
      this.drawStart();
      this.name();
    }, REDRAW_MS);
  }

  /** Once the server has the upload, a reload of the page comes back to it. */
  private name(): void {
    const { upload } = this.uploader;
    if (!upload || this.form.dataset.named) return;
    this.form.dataset.named = "1";
    this.form.action = upload.start;
    history.replaceState(null, "", upload.start);
    if (!this.form.querySelector("[data-upload-cancel]"))
      this.start.parentElement?.append(this.cancel());
  }

  private cancel(): HTMLElement {
    const made = button("Cancel this upload", () => {
      this.leaving = true;
      const { page } = this.uploader.upload as Upload;
      void this.uploader.cancel().finally(() => window.location.assign(page));
    });
    made.classList.add("button--block");
    return made;
  }

  private drawStart(): void {
    const { files, done, bytes, received } = this.uploader.totals;
    const some = done > 0 || (this.hadFiles && !this.uploader.busy);
    this.start.disabled = this.uploader.busy || !some;
    const { bytesPerSecond } = this.uploader.speed;
    const pace = paceText(bytesPerSecond, bytes - received);
    if (this.uploader.busy) {
      setText(this.reason, onTheirWay(files - done, pace));
    } else {
      setText(this.reason, some ? this.ready : "Choose files first.");
    }
  }
}

/** Shows a part of a form only while the choice that it belongs to is made. */
export function showByOrigin(form: HTMLFormElement): void {
  const draw = () => {
    const chosen = form.querySelector<HTMLInputElement>("[name=origin]:checked")?.value;
    for (const part of form.querySelectorAll<HTMLElement>("[data-shown-for]")) {
      part.hidden = part.dataset.shownFor !== chosen;
    }
  };
  form.addEventListener("change", draw);
  draw();
}

function onTheirWay(count: number, pace: string): string {
  const many = count === 1 ? "1 file is on its way" : `${count} files are on their way`;
  return `${many}${pace ? `: ${pace}` : "."}`;
}

function button(text: string, act: () => void): HTMLButtonElement {
  const made = h("button", { type: "button", class: "button" }, icon("plus"), text);
  if (text.startsWith("Cancel")) made.replaceChildren(text);
  made.addEventListener("click", act);
  return made;
}

function element(place: ParentNode, selector: string): HTMLElement {
  const found = place.querySelector<HTMLElement>(selector);
  if (!found) throw new Error(`${selector} is missing`);
  return found;
}
