"""The form of one question: its text, its levels, its rule of display, what is right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms

from readerstudy.studies.answers import CHOICE_KINDS, KINDS
from readerstudy.studies.models import Question, Study
from readerstudy.studies.questioning import STARTS
from readerstudy.studies.templates.base import OptionTemplate, QuestionTemplate

KIND_WORDS = {
    "single": "Nominal",
    "ordinal": "Ordinal",
    "multi": "Multi-select",
    "confidence": "Confidence",
    "number": "Number",
    "text": "Free text",
    "region": "Region",
    "place": "Which image",
    "ranking": "Ranking",
}
WITH_OPTIONS = (*CHOICE_KINDS, "multi", "confidence")
REGIONS = [("point", "A point"), ("length", "A length"), ("ellipse", "An ellipse with its mean")]
SHOW = [("", "Always"), ("all", "If all of these hold"), ("any", "If any of these holds")]
CONDITION_WORDS = {
    "is": "is",
    "not": "is not",
    "at_least": "is at least",
    "at_most": "is at most",
    "answered": "was answered",
    "open": "was not answered",
}
TRUTH = [
    ("", "No answer is right or wrong"),
    ("origin", "Whether the case is real or synthetic"),
    ("reference", "The reference standard"),
]
CLASSES = [("real", "The real one"), ("synthetic", "The synthetic one")]
MIN_RULES = 2


class QuestionForm(forms.Form):
    """One question of a draft, as the builder edits it."""

    text = forms.CharField(max_length=200, label="Question")
    code = forms.SlugField(max_length=32, label="Code")
    kind = forms.ChoiceField(choices=list(KIND_WORDS.items()), widget=forms.RadioSelect)
    help = forms.CharField(
        required=False,
        max_length=2000,
        label="Help for the reader",
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    required = forms.BooleanField(required=False)
    may_be_not_evaluable = forms.BooleanField(required=False)
    bound_to = forms.ChoiceField(required=False, label="Confidence in the answer to")
    minimum = forms.FloatField(required=False, label="Least value")
    maximum = forms.FloatField(required=False, label="Greatest value")
    whole = forms.BooleanField(required=False, label="Whole numbers only")
    unit = forms.CharField(required=False, max_length=24)
    equal = forms.BooleanField(required=False, label="“Equal” is an answer too")
    region_kind = forms.ChoiceField(required=False, choices=REGIONS, label="What is drawn")
    region_role = forms.ChoiceField(required=False, label="On which image")
    arms = forms.MultipleChoiceField(
        required=False, widget=forms.CheckboxSelectMultiple, label="Asked in these arms"
    )
    show_how = forms.ChoiceField(required=False, choices=SHOW, label="Show the question")
    truth_source = forms.ChoiceField(required=False, choices=TRUTH, label="What is right follows")
    truth_endpoint = forms.SlugField(required=False, max_length=40, label="Endpoint")
    truth_place = forms.ChoiceField(required=False, choices=CLASSES, label="The right image")

    def __init__(self, *args: Any, study: Study, question: Question | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.study, self.question = study, question
        others = study.questions.prefetch_related("options")
        before = others.filter(position__lt=question.position) if question else others.none()
        self.before = list(before)
        bindable = [one for one in self.before if one.kind not in ("confidence", "text")]
        self.fields["bound_to"].choices = [("", "none"), *((q.code, q.text) for q in bindable)]
        slots = [(slot.code, slot.label) for slot in study.display.slots]
        self.fields["region_role"].choices = [("", "Any of them"), *slots]
        self.fields["arms"].choices = list(study.arms.values_list("code", "name"))

    @property
    def conditions(self) -> list[tuple[str, str]]:
        """The relations that a condition may state."""
        return list(CONDITION_WORDS.items())

    @property
    def kind_value(self) -> str:
        return str(self["kind"].value())

    @property
    def levels(self) -> list[dict[str, str]]:
        """The rows of choices: as typed, or as stored."""
        if self.is_bound:
            return self._typed_levels()
        question = self.question
        rights = _rights(question.truth) if question else {}
        return [
            {
                "code": option.code,
                "label": option.label,
                "anchor": option.anchor,
                "right": rights.get(option.code, ""),
            }
            for option in (question.options.all() if question else ())
        ]

    def _typed_levels(self) -> list[dict[str, str]]:
        names = ("code", "label", "anchor", "right")
        columns = [self.data.getlist(f"option_{name}") for name in names]
        rows = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=False)]
        return [row for row in rows if any(value.strip() for value in row.values())]

    @property
    def rules(self) -> list[dict[str, Any]]:
        """The rows of conditions: as typed, or as stored, with an empty one to fill in."""
        rows = self._typed_rules() if self.is_bound else self._stored_rules()
        while len(rows) < MIN_RULES or rows[-1]["question"]:
            rows.append({"question": "", "how": "is", "codes": [], "number": ""})
        return rows

    def _stored_rules(self) -> list[dict[str, Any]]:
        stored = (self.question.show_if if self.question else {}).values()
        return [_row_of(condition) for conditions in stored for condition in conditions]

    def _typed_rules(self) -> list[dict[str, Any]]:
        found = []
        for number, question in enumerate(self.data.getlist("rule_question")):
            row = {
                "question": question,
                "how": self.data.get(f"rule_how_{number}", "is"),
                "codes": self.data.getlist(f"rule_codes_{number}"),
                "number": self.data.get(f"rule_number_{number}", ""),
            }
            if question:
                found.append(row)
        return found

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        kind = data.get("kind", "")
        if data.get("show_how"):
            data["show_if"] = {
                data["show_how"]: [self._condition(one) for one in self._typed_rules()]
            }
        if kind == "confidence" and not self._typed_levels():
            data["minimum"] = 0 if data.get("minimum") is None else data["minimum"]
            data["maximum"] = 100 if data.get("maximum") is None else data["maximum"]
        return data

    def _condition(self, row: dict[str, Any]) -> dict[str, Any]:
        asked, how = row["question"], row["how"]
        if how in ("is", "not"):
            codes = [
                code.partition("/")[2] for code in row["codes"] if code.startswith(f"{asked}/")
            ]
            if not codes:
                self.add_error("show_how", f"Choose the answers of “{asked}” that count.")
            return {"question": asked, how: codes}
        if how in ("at_least", "at_most"):
            return {"question": asked, how: self._limit(asked, row["number"])}
        return {"question": asked, "answered": how != "open"}

    def _limit(self, asked: str, typed: str) -> float:
        try:
            return forms.FloatField().clean(typed) or 0.0
        except forms.ValidationError:
            self.add_error("show_how", f"Give the number that “{asked}” is compared with.")
            return 0.0

    def source(self) -> QuestionTemplate:
        """Return the question that was typed."""
        data = self.cleaned_data
        kind = data["kind"]
        same = ("text", "help", "required", "may_be_not_evaluable")
        return QuestionTemplate(
            code=data["code"],
            kind=kind,
            **{name: data[name] for name in same},
            options=self._options(kind) if kind in WITH_OPTIONS else (),
            bound_to=self._bound_to() if kind == "confidence" else "",
            **_numbers(kind, data, bool(self._typed_levels())),
            equal=data["equal"] if kind == "place" else False,
            region={"kind": data["region_kind"] or "point", "role": data["region_role"] or None}
            if kind == "region"
            else None,
            show_if=data.get("show_if", {}),
            arms=tuple(data["arms"]),
            truth=self._truth(kind, data),
        )

    def _bound_to(self) -> str:
        """Return what was chosen; a question that became a confidence speaks of the one before."""
        choices = [code for code, _ in self.fields["bound_to"].choices if code]
        return self.cleaned_data["bound_to"] or (choices[-1] if choices else "")

    def _options(self, kind: str) -> tuple[OptionTemplate, ...]:
        """Return the levels that were typed; a kind that needs some starts with its usual ones."""
        typed = self._typed_options()
        usual = () if kind == "confidence" else STARTS[kind].get("options", ())
        return typed or usual

    def _typed_options(self) -> tuple[OptionTemplate, ...]:
        return tuple(
            OptionTemplate(
                code=row["code"].strip() or code_from(row["label"]),
                label=row["label"].strip(),
                anchor=row["anchor"].strip(),
            )
            for row in self._typed_levels()
        )

    def _truth(self, kind: str, data: dict[str, Any]) -> dict[str, Any]:
        source = data["truth_source"]
        if kind == "place":
            return {"source": "origin", "place": data["truth_place"]} if source == "origin" else {}
        rights = {
            value.strip(): option.code
            for option, row in zip(self._typed_options(), self._typed_levels(), strict=True)
            for value in row["right"].split(",")
            if value.strip()
        }
        if source == "origin":
            return {"source": "origin", **{k: rights[k] for k, _ in CLASSES if k in rights}}
        if source == "reference":
            return {"source": "reference", "endpoint": data["truth_endpoint"], "values": rights}
        return {}


def _numbers(kind: str, data: dict[str, Any], has_levels: bool) -> dict[str, Any]:
    if kind == "number" or (kind == "confidence" and not has_levels):
        return {name: data[name] for name in ("minimum", "maximum", "whole", "unit")}
    return {}


def code_from(label: str) -> str:
    """Return a code made of a label: small letters, digits and _."""
    return "_".join(
        "".join(c if c.isascii() and c.isalnum() else " " for c in label.lower()).split()
    )[:32]


def _rights(truth: dict[str, Any]) -> dict[str, str]:
    """Return for each code the values of truth that make it right, separated by commas."""
    pairs: Iterable[tuple[str, Any]] = truth.get("values", {}).items()
    if truth.get("source") == "origin":
        pairs = [(name, truth[name]) for name, _ in CLASSES if name in truth]
    found: dict[str, list[str]] = {}
    for value, code in pairs:
        found.setdefault(str(code), []).append(value)
    return {code: ", ".join(values) for code, values in found.items()}


def _row_of(condition: dict[str, Any]) -> dict[str, Any]:
    asked = condition["question"]
    how = next(name for name in condition if name != "question")
    value = condition[how]
    if how == "answered":
        return {
            "question": asked,
            "how": "answered" if value else "open",
            "codes": [],
            "number": "",
        }
    if how in ("is", "not"):
        codes = [f"{asked}/{code}" for code in value]
        return {"question": asked, "how": how, "codes": codes, "number": ""}
    return {"question": asked, "how": how, "codes": [], "number": f"{value:g}"}


def initial_of(question: Question) -> dict[str, Any]:
    """Return what the form shows of a stored question."""
    same = (
        "text",
        "code",
        "kind",
        "help",
        "required",
        "may_be_not_evaluable",
        "bound_to",
        "minimum",
        "maximum",
        "whole",
        "unit",
        "equal",
        "arms",
    )
    region, truth = question.region or {}, question.truth
    return {
        **{name: getattr(question, name) for name in same},
        "region_kind": region.get("kind", "point"),
        "region_role": region.get("role") or "",
        "show_how": next(iter(question.show_if), ""),
        "truth_source": truth.get("source", ""),
        "truth_endpoint": truth.get("endpoint", ""),
        "truth_place": truth.get("place", "synthetic"),
    }


def kind_line(question: Question) -> str:
    """Return one line that says what kind of question this is, for the list."""
    count = question.options.count()
    parts = {
        "single": "Yes or no" if count == 2 else f"Nominal, {count} choices",
        "ordinal": f"Ordinal, {count} levels",
        "multi": f"Multi-select, {count} choices",
        "confidence": f"Confidence, {count} levels" if count else "Confidence, on a line",
    }
    line = parts.get(question.kind, KINDS[question.kind].partition(",")[0])
    if question.kind == "single" and count == 2:
        line = "One of two"
    return line if question.required else f"{line}, optional"


def presets(templates: Sequence[Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return what can be added: kinds first, then every question of the templates, by group."""
    kinds = [(f"kind:{kind}", words) for kind, words in KIND_WORDS.items()]
    groups = [("New", kinds)]
    for template in templates:
        known = [(f"{template.key}:{q.code}", q.text) for q in template.questions]
        groups.append((template.name, known))
    return groups
