/** Shows the parts of the form that the kind of question has, and hides the others. */

function valueOf(form: HTMLFormElement, name: string): string {
  const field = form.elements.namedItem(name);
  const known = field instanceof HTMLInputElement || field instanceof HTMLSelectElement;
  return known || field instanceof RadioNodeList ? field.value : "";
}

export function showParts(form: HTMLFormElement): void {
  const kind = valueOf(form, "kind");
  for (const part of form.querySelectorAll<HTMLElement>("[data-for]")) {
    part.hidden = !(part.dataset.for ?? "").split(" ").includes(kind);
  }
  const truth = valueOf(form, "truth_source");
  for (const part of form.querySelectorAll<HTMLElement>("[data-truth]")) {
    const place = kind === "place" && truth === "origin";
    part.hidden = part.dataset.truth === "place" ? !place : truth !== "reference";
  }
  const right = truth !== "" && kind !== "place" && kind !== "multi" && kind !== "confidence";
  form.querySelector("[data-levels]")?.classList.toggle("has-right", right);
  showRules(form);
}

function showRules(form: HTMLFormElement): void {
  const rows = form.querySelector<HTMLElement>("[data-rule-rows]");
  if (rows) rows.hidden = valueOf(form, "show_how") === "";
  form.querySelectorAll<HTMLElement>(".builder-rule__row").forEach((row, number) => {
    const asked = row.querySelector<HTMLSelectElement>('[name="rule_question"]')?.value ?? "";
    const how = valueOf(form, `rule_how_${number}`);
    const codes = row.querySelector<HTMLSelectElement>("select[multiple]");
    const limit = row.querySelector<HTMLInputElement>("input");
    if (codes) {
      codes.hidden = !["is", "not"].includes(how) || asked === "";
      for (const group of codes.querySelectorAll("optgroup"))
        group.hidden = group.dataset.of !== asked;
    }
    if (limit) limit.hidden = !["at_least", "at_most"].includes(how) || asked === "";
  });
}
