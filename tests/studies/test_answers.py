"""What counts as an answer: the shared cases, and questions that contradict themselves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from readerstudy.studies.answers import BadRule, Misfit, QuestionSpec, check_form, check_specs

CASES = json.loads((Path(__file__).parents[1] / "vectors" / "answers.json").read_text())


def spec(entry: dict) -> QuestionSpec:
    return QuestionSpec(**{**entry, "options": tuple(entry.get("options", ()))})


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_server_reads_a_form_as_the_browser_does(case):
    specs = [spec(entry) for entry in case["questions"]]
    check_specs(specs)
    if "refused" in case:
        with pytest.raises(Misfit) as caught:
            check_form(specs, case["answers"])
        assert caught.value.code == case["refused"]
    else:
        assert check_form(specs, case["answers"]) == case["values"]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_must_be_finite(value):
    with pytest.raises(Misfit, match="needs a number"):
        check_form([QuestionSpec("size", "number")], {"size": value})


ORIGIN = QuestionSpec("origin", "single", ("real", "synthetic"))


def rule(**condition) -> dict:
    return {"all": [{"question": "origin", **condition}]}


@pytest.mark.parametrize(
    ("specs", "words"),
    [
        ([ORIGIN, ORIGIN], "Two questions have the code"),
        ([QuestionSpec("a", "guess")], "unknown kind"),
        ([QuestionSpec("a", "single", ("x",))], "at least two choices"),
        ([QuestionSpec("a", "multi", ("x", "x"))], "two choices with one code"),
        ([QuestionSpec("a", "confidence", minimum=0, maximum=100)], "must name the question"),
        ([QuestionSpec("a", "confidence", bound_to="origin")], "must come before it"),
        ([QuestionSpec("a", "number", minimum=3, maximum=2)], "must lie below"),
        ([QuestionSpec("a", "place")], "only one is shown"),
        ([QuestionSpec("a", "region", region={"kind": "sphere"})], "a point, a length"),
        ([QuestionSpec("a", "text", show_if=rule(answered=True)), ORIGIN], "come before it"),
        ([ORIGIN, QuestionSpec("a", "text", show_if={"none": []})], "“all” or “any”"),
        ([ORIGIN, QuestionSpec("a", "text", show_if={"all": []})], "no condition"),
        ([ORIGIN, QuestionSpec("a", "text", show_if=rule())], "must use one of"),
        ([ORIGIN, QuestionSpec("a", "text", show_if=rule(**{"is": ["fake"]}))], "does not have"),
        ([ORIGIN, QuestionSpec("a", "text", show_if=rule(at_least=1))], "it is none"),
    ],
)
def test_questions_that_contradict_themselves_are_refused(specs, words):
    with pytest.raises(BadRule, match=words):
        check_specs(specs)
