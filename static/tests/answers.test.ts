import { describe, expect, it } from "vitest";
import cases from "../../tests/vectors/answers.json";
import { checkForm, Misfit } from "../src/reading/answers";
import type { Question } from "../src/reading/contract";
import { question } from "./fixtures";

/** Cases that the server's rules pass too: tests/studies/test_answers.py. */
interface Vector {
  readonly name: string;
  readonly questions: readonly (Omit<Partial<Question>, "options"> & {
    readonly code: string;
    readonly options?: readonly string[];
  })[];
  readonly answers: unknown;
  readonly values?: unknown;
  readonly refused?: string;
}

const vectors = cases as unknown as readonly Vector[];

function questionOf({ code, options = [], ...changes }: Vector["questions"][number]): Question {
  const levels = options.map((option) => ({ code: option, label: option, anchor: "" }));
  return question(code, { ...changes, options: levels });
}

function outcome(questions: readonly Question[], answers: unknown) {
  try {
    return { values: checkForm(questions, answers) };
  } catch (error) {
    if (error instanceof Misfit) return { refused: error.code };
    throw error;
  }
}

describe("the rules that browser and server share", () => {
  it("has cases", () => {
    expect(vectors.length).toBeGreaterThan(50);
  });

  it.each(vectors.map((vector) => [vector.name, vector] as const))("%s", (_, vector) => {
    const { values, refused } = vector;
    const expected = refused === undefined ? { values } : { refused };
    expect(outcome(vector.questions.map(questionOf), vector.answers)).toEqual(expected);
  });
});
