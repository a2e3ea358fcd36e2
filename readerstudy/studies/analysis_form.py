"""The form of one planned analysis; shares are typed in percent."""

from __future__ import annotations

import inspect
from typing import Any

from django import forms

from readerstudy import stats
from readerstudy.studies.analysis_plan import (
    ADJUSTMENTS,
    ENDPOINTS,
    MAX_TITLE,
    MISSING,
    NOT_EVALUABLE,
    READERS,
    UNITS,
    PlannedAnalysis,
    document_of,
)
from readerstudy.studies.asking import SINGLE_ARM
from readerstudy.studies.models import Question, Study
from readerstudy.studies.planning_analysis import METHODS, methods_of

SHARES = ("margin", "stop_below")


class ListField(forms.CharField):
    """Words separated by commas."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, max_length=200, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        return [word for part in super().to_python(value).split(",") if (word := part.strip())]


class NumbersField(ListField):
    """Numbers separated by commas."""

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return ", ".join(f"{number:g}" for number in value)
        return value

    def to_python(self, value: Any) -> Any:
        try:
            return [float(word) for word in super().to_python(value)]
        except ValueError as error:
            raise forms.ValidationError(
                "Write numbers with a decimal point, separated by commas."
            ) from error


class AnalysisForm(forms.Form):
    """One endpoint of the plan."""

    title = forms.CharField(max_length=MAX_TITLE, help_text="Stands above its table.")
    question = forms.ChoiceField()
    endpoint = forms.ChoiceField(choices=list(ENDPOINTS.items()), label="What is analysed")
    unit = forms.ChoiceField(choices=list(UNITS.items()), label="Unit of the analysis")
    primary = forms.BooleanField(
        required=False, label="Primary", help_text="Primary endpoints decide the study."
    )
    consensus = forms.BooleanField(
        required=False,
        label="After consensus",
        help_text="Otherwise the first answers count, as given.",
    )
    methods = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)
    confidence = forms.ChoiceField(
        required=False,
        label="Confidence that grades the answer",
        help_text="Makes a score of the answer, for ROC analysis.",
    )
    arms = forms.MultipleChoiceField(
        required=False, widget=forms.CheckboxSelectMultiple, label="Arms that are compared"
    )
    margin = forms.FloatField(
        required=False,
        min_value=0.1,
        max_value=99.9,
        label="Margin, points",
        help_text="Of equivalence or non-inferiority.",
    )
    threshold = forms.FloatField(
        required=False,
        min_value=0.01,
        max_value=0.99,
        label="Least agreement",
        help_text="Coefficient from which agreement counts as reproducible, such as 0.5.",
    )
    stop_below = forms.FloatField(
        required=False,
        min_value=0.1,
        max_value=99.9,
        label="Sessions end below, % right",
        help_text="Of a study that is repeated while a generator is trained.",
    )
    family = forms.CharField(
        required=False,
        max_length=40,
        help_text="Endpoints of one family share an adjustment for multiple testing.",
    )
    adjustment = forms.ChoiceField(
        required=False, choices=list(ADJUSTMENTS.items()), label="Adjustment"
    )
    positive = forms.CharField(
        required=False,
        max_length=32,
        label="Positive level",
        help_text="Its code; empty: the last level of the question.",
    )
    readers = forms.ChoiceField(choices=list(READERS.items()), label="Readers are")
    not_evaluable = forms.ChoiceField(
        choices=list(NOT_EVALUABLE.items()), label="“Not evaluable” is"
    )
    missing = forms.ChoiceField(choices=list(MISSING.items()), label="Reads that count")
    subgroups = ListField(
        help_text="stratum, generator, experience, period, or reference: and an endpoint, such as "
        "reference:who_grade. Estimated once more in each part, without a test."
    )
    cutoffs = NumbersField(
        label="Cut-offs, % of the scale",
        help_text="Borders of the groups of a categorical net reclassification.",
    )
    covariates = ListField(help_text="Endpoints of the reference standard, such as age.")
    time = forms.CharField(
        required=False, max_length=40, help_text="Endpoint of the reference standard: a time."
    )
    event = forms.CharField(
        required=False, max_length=40, help_text="Endpoint: 1 if the event came, 0 if not."
    )
    horizons = NumbersField(help_text="Times at which survival is stated, in the unit of the time.")
    alpha = forms.FloatField(min_value=0.001, max_value=0.499, label="Alpha of tests")

    def __init__(self, *args: Any, study: Study, entry: PlannedAnalysis, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        questions = list(study.questions.all())
        arms = list(study.arms.all())
        self._choose("question", _named(questions, entry.question))
        graded = [one for one in questions if one.kind == Question.Kind.CONFIDENCE]
        self._choose("confidence", [("", "none"), *_named(graded, entry.confidence)])
        self._choose("arms", [(arm.code, f"{arm.name} ({arm.code})") for arm in arms])
        self._choose("methods", _methods(entry))
        if not arms:
            del self.fields["arms"]

    def _choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]

    def wanted(self) -> dict[str, Any]:
        """Return the fields of the entry as they are stored."""
        data = {"arms": [], **self.cleaned_data}
        for name in SHARES:
            data[name] = None if data[name] is None else data[name] / 100
        data["cutoffs"] = [cut / 100 for cut in data["cutoffs"]]
        data["family"] = data["family"].strip()
        return data


def _named(questions: list[Question], present: str) -> list[tuple[str, str]]:
    """Return questions as choices, with the present one even if it is gone."""
    found = [(one.code, one.text) for one in questions]
    codes = [code for code, _ in found]
    return found if not present or present in codes else [*found, (present, f"{present} (gone)")]


def _methods(entry: PlannedAnalysis) -> list[tuple[str, str]]:
    """Return every method of any endpoint, those of the present endpoint first."""
    names = [*methods_of(entry.endpoint), *entry.methods]
    names += [name for endpoint in METHODS for name in methods_of(endpoint)]
    return [(name, f"{name}: {described(name)}") for name in dict.fromkeys(names)]


def described(method: str) -> str:
    """Return the first line of a method's own description."""
    text = inspect.getdoc(getattr(stats, method)) or method
    return text.splitlines()[0].rstrip(".").replace("`", "")


def initial_of(entry: PlannedAnalysis) -> dict[str, Any]:
    """Return what the form shows of a stored entry."""
    (document,) = document_of((entry,))
    for name in SHARES:
        share = document[name]
        document[name] = None if share is None else round(100 * share, 6)
    document["cutoffs"] = [round(100 * cut, 6) for cut in entry.cutoffs]
    document["arms"] = [arm for arm in entry.arms if arm != SINGLE_ARM]
    return document
