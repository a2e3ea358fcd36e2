/** Marks on the panes of images beside each other. */
import { placesOf } from "./answers";
import type { FormSpec } from "./contract";
import { type Form, ranksOf } from "./form";

/** What stands on the panes of images that were chosen or ranked, by role. */
export function badgesOf(
  { questions, answers, active }: Form,
  { layout }: FormSpec,
): Map<string, string> {
  const compares = (at: number) => ["place", "ranking"].includes(questions[at]?.kind ?? "");
  const at = compares(active) ? active : questions.findIndex((_, index) => compares(index));
  const question = questions[at];
  const value = question && answers[question.code];
  if (!question || value === undefined) return new Map();
  const places = Array.from({ length: placesOf(question) }, (_, place) => {
    if (question.kind === "place") return value === place ? "✓" : "";
    const rank = ranksOf(value).indexOf(place);
    return rank < 0 ? "" : String(rank + 1);
  });
  return new Map(layout.slots.map(({ role, place = 0 }) => [role, places[place] ?? ""]));
}
