import { h } from "../shared/dom";

/** Asks before a form with data-confirm is sent. Without script the form is sent at once. */
export function confirmForms(root: ParentNode & EventTarget): void {
  root.addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement;
    if (!form.dataset.confirm || form.dataset.confirmed) return;
    event.preventDefault();
    ask(form, (event as SubmitEvent).submitter);
  });
}

function ask(form: HTMLFormElement, submitter: HTMLElement | null): void {
  const { confirm = "", confirmDetail = "", confirmAction } = form.dataset;
  const go = h(
    "button",
    { type: "button", class: "button button--primary" },
    confirmAction ?? submitter?.textContent.trim() ?? "Go on",
  );
  const cancel = h("button", { type: "button", class: "button" }, "Cancel");
  const dialog = h(
    "dialog",
    { class: "dialog", "aria-label": confirm },
    h("h2", {}, confirm),
    confirmDetail !== "" && h("p", {}, confirmDetail),
    h("div", { class: "dialog__actions" }, go, cancel),
  );
  cancel.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  go.addEventListener("click", () => {
    dialog.close();
    form.dataset.confirmed = "1";
    form.requestSubmit(...(submitter ? [submitter] : []));
    delete form.dataset.confirmed;
  });
  document.body.append(dialog);
  dialog.showModal();
}
