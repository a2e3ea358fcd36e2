"""The forms of an import of ratings: file, columns, questions and analyses, storing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django import forms
from django.forms import BoundField

from readerstudy.analysis.importing.mapping import (
    FORMS,
    KINDS,
    MISSING,
    NOT_EVALUABLE,
    ORIGIN_WORDS,
    READERS,
    ROLES,
)
from readerstudy.analysis.ratings.level_lines import (
    levels_from_text,
    levels_to_text,
    pairs_from_text,
    pairs_to_text,
    words_from_text,
)
from readerstudy.analysis.ratings.uploading import File
from readerstudy.studies.analysis_plan import Plan

ANSWERS, REFERENCE, A_READER = "answers", "reference", "a_reader"
MEANINGS = [
    ("", "Not used"),
    (ANSWERS, "Answers to a question"),
    (A_READER, "Answers of one reader"),
    (REFERENCE, "Reference standard, time, event or covariate"),
    *ROLES.items(),
]
DECIMALS = [(".", "A point: 3.5"), (",", "A comma: 3,5")]
ORIGIN = "origin"
TABLES = ".csv,.tsv,.txt,.xlsx"


class UploadForm(forms.Form):
    """A table of ratings, optionally with one of the cases and a mapping from before."""

    name = forms.CharField(max_length=120, label="Name", help_text="Title of the results.")
    ratings = forms.FileField(
        label="Table of ratings",
        widget=forms.FileInput(attrs={"accept": TABLES}),
        help_text="CSV or XLSX; its first row names the columns. At most 40 MB.",
    )
    cases = forms.FileField(
        required=False,
        label="Table of cases",
        widget=forms.FileInput(attrs={"accept": TABLES}),
        help_text="Where truth and reference standard stand in a table of their own, with one row "
        "for each case. Its column of cases has the same name.",
    )
    mapping = forms.FileField(
        required=False,
        label="Mapping from an earlier import",
        widget=forms.FileInput(attrs={"accept": ".json"}),
        help_text="mapping.json, as an import offers it; otherwise the columns are guessed.",
    )

    def clean_ratings(self) -> File:
        return _file(self.cleaned_data["ratings"])

    def clean_cases(self) -> File | None:
        sent = self.cleaned_data["cases"]
        return _file(sent) if sent else None

    def clean_mapping(self) -> dict[str, Any] | None:
        sent = self.cleaned_data["mapping"]
        if not sent:
            return None
        try:
            document = json.loads(sent.read(2**20))
        except ValueError as error:
            raise forms.ValidationError("This is no JSON file.") from error
        if not isinstance(document, dict):
            raise forms.ValidationError("A mapping is an object.")
        return document


def _file(sent: Any) -> File:
    return File(sent.name, sent.read())


class ColumnsForm(forms.Form):
    """What each column means, and how numbers and gaps are written."""

    form = forms.ChoiceField(choices=list(FORMS.items()), widget=forms.RadioSelect,
                             label="Form of the table")  # fmt: skip
    decimal = forms.ChoiceField(choices=DECIMALS, label="Decimal sign")
    missing = forms.CharField(
        required=False, label="What stands for no answer", help_text="Separated by semicolons."
    )
    not_evaluable = forms.CharField(
        required=False,
        label="What stands for “not evaluable”",
        help_text="Separated by semicolons.",
    )

    def __init__(self, *args: Any, headers: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.headers = headers
        for number, header in enumerate(headers):
            self.fields[f"meaning_{number}"] = forms.ChoiceField(
                choices=MEANINGS, required=False, label=f"Meaning of {header}"
            )
            self.fields[f"code_{number}"] = forms.CharField(
                max_length=32, required=False, label=f"Code of {header}"
            )

    def columns(self) -> list[tuple[str, BoundField, BoundField]]:
        """Return each column with its fields."""
        return [
            (header, self[f"meaning_{number}"], self[f"code_{number}"])
            for number, header in enumerate(self.headers)
        ]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        seen: set[str] = set()
        for number in range(len(self.headers)):
            meaning = data.get(f"meaning_{number}")
            if meaning in ROLES and meaning in seen:
                self.add_error(f"meaning_{number}", "Another column means that already.")
            seen.add(meaning or "")
        if not self.errors:
            data |= {"mapping": self._mapping(), "answers": list(self._meant(ANSWERS))}
        return data

    def _meant(self, meaning: str) -> dict[str, str]:
        """Return the columns of a meaning, each with its code or its own name."""
        data = self.cleaned_data
        return {
            header: data[f"code_{number}"].strip() or header
            for number, header in enumerate(self.headers)
            if data.get(f"meaning_{number}") == meaning
        }

    def _mapping(self) -> dict[str, Any]:
        """Return the part of a mapping that the form states."""
        data = self.cleaned_data
        roles = {role: next(iter(self._meant(role)), "") for role in ROLES}
        form = READERS if self._meant(A_READER) and not roles["reader"] else data["form"]
        return {
            "form": form,
            "columns": {role: column for role, column in roles.items() if column},
            "references": {code: column for column, code in self._meant(REFERENCE).items()},
            "readers": self._meant(A_READER) if form == READERS else {},
            "decimal": data["decimal"],
            "missing": ["", *words_from_text(data["missing"])],
            "not_evaluable": words_from_text(data["not_evaluable"]),
        }


def columns_initial(mapping: dict[str, Any], headers: Sequence[str]) -> dict[str, Any]:
    """Return what the form of the columns shows of a mapping."""
    meanings = {column: (role, "") for role, column in mapping.get("columns", {}).items()}
    for code, column in mapping.get("references", {}).items():
        meanings[column] = (REFERENCE, code)
    for column, reader in mapping.get("readers", {}).items():
        meanings[column] = (A_READER, reader)
    for question in mapping.get("questions", []):
        meanings.setdefault(question.get("source", ""), (ANSWERS, ""))
    found: dict[str, Any] = {
        "form": mapping.get("form"),
        "decimal": mapping.get("decimal", "."),
        "missing": "; ".join(one for one in mapping.get("missing", MISSING) if one),
        "not_evaluable": "; ".join(mapping.get("not_evaluable", NOT_EVALUABLE)),
    }
    for number, header in enumerate(headers):
        meaning, code = meanings.get(header, ("", ""))
        found |= {f"meaning_{number}": meaning, f"code_{number}": code}
    return found


class QuestionForm(forms.Form):
    """One question: kind, levels in order, and how the right answer follows."""

    source = forms.CharField(widget=forms.HiddenInput, required=False)
    code = forms.CharField(max_length=32, label="Code")
    text = forms.CharField(max_length=200, label="Question")
    kind = forms.ChoiceField(choices=list(KINDS.items()), label="Kind")
    levels = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        label="Levels, lowest first",
        help_text="One a line: code | label | other spellings; … Of two, the last is the "
        "positive one.",
    )
    bound_to = forms.CharField(max_length=32, required=False, label="Confidence in (code)")
    unit = forms.CharField(max_length=24, required=False, label="Unit")
    minimum = forms.FloatField(required=False, label="Least value")
    maximum = forms.FloatField(required=False, label="Greatest value")
    threshold = forms.FloatField(
        required=False,
        label="Called positive above",
        help_text="Of a rating; empty: the middle of the scale.",
    )
    truth = forms.ChoiceField(required=False, label="What is right")
    right = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        label="Right level for each value",
        help_text="One a line: value = level. Empty: values are written as the levels are.",
    )

    def __init__(self, *args: Any, references: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["truth"] = forms.ChoiceField(
            required=False,
            label="What is right",
            choices=[
                ("", "Not known"),
                (ORIGIN, "As the image is real or synthetic"),
                *((f"ref:{one}", f"As the reference “{one}” says") for one in references),
            ],
        )

    def document(self) -> dict[str, Any]:
        """Return the question as a mapping holds it."""
        data = self.cleaned_data
        plain = ("source", "code", "text", "kind", "bound_to", "unit")
        numbers = ("minimum", "maximum", "threshold")
        return {
            **{name: data[name] for name in (*plain, *numbers)},
            "levels": levels_from_text(data["levels"]),
            "truth": self._truth(),
        }

    def _truth(self) -> dict[str, Any]:
        source, pairs = self.cleaned_data["truth"], pairs_from_text(self.cleaned_data["right"])
        if not source:
            return {}
        if source == ORIGIN:
            return {"source": ORIGIN, "real": "real", "synthetic": "synthetic", **pairs}
        return {"source": "reference", "endpoint": source[4:], "values": pairs}


def question_initial(question: dict[str, Any]) -> dict[str, Any]:
    """Return what the form shows of a question."""
    truth = question.get("truth") or {}
    is_origin = truth.get("source") == ORIGIN
    origins = {one: truth.get(one, one) for one in ("real", "synthetic")} if is_origin else {}
    pairs = {one: level for one, level in origins.items() if one != level}
    source = ORIGIN if is_origin else f"ref:{truth['endpoint']}" if truth else ""
    return {
        **question,
        "levels": levels_to_text(question.get("levels", ())),
        "truth": source,
        "right": pairs_to_text(pairs or truth.get("values", {})),
    }


class StudyForm(forms.Form):
    """What holds for all questions: arms in order, and how origins are written."""

    arms = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        label="Arms in order, the reference first",
        help_text="One a line: code | label | other spellings; … Empty: as the table has them.",
    )
    real = forms.CharField(required=False, label="How real images are written")
    synthetic = forms.CharField(required=False, label="How synthetic images are written")

    def document(self) -> dict[str, Any]:
        data = self.cleaned_data
        origins = {one: words_from_text(data[one]) for one in ("real", "synthetic")}
        return {"arms": levels_from_text(data["arms"]), "origins": origins}


def study_initial(mapping: dict[str, Any]) -> dict[str, str]:
    """Return what the form shows of a mapping."""
    origins = mapping.get("origins") or ORIGIN_WORDS
    words = {one: "; ".join(origins.get(one, ())) for one in ("real", "synthetic")}
    return {"arms": levels_to_text(mapping.get("arms", ())), **words}


class PlanForm(forms.Form):
    """Which analyses are run, and whether they were planned before the data were seen."""

    analyses = forms.MultipleChoiceField(
        required=False, widget=forms.CheckboxSelectMultiple, label="Analyses"
    )
    primary = forms.ChoiceField(required=False, label="Primary endpoint")
    attested = forms.BooleanField(
        required=False,
        label="These analyses were planned before the data were seen",
        help_text="Otherwise every result is marked exploratory.",
    )
    on = forms.DateField(
        required=False, label="Date of the plan", widget=forms.DateInput(attrs={"type": "date"})
    )
    document = forms.CharField(
        max_length=200,
        required=False,
        label="Document that holds it",
        help_text="Such as a registration or a statistical analysis plan with its version.",
    )

    def __init__(self, *args: Any, offered: Plan, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        titles = [(one.code, one.title) for one in offered]
        self.fields["analyses"] = forms.MultipleChoiceField(
            required=False, choices=titles, widget=forms.CheckboxSelectMultiple, label="Analyses"
        )
        self.fields["primary"] = forms.ChoiceField(
            required=False, choices=[("", "None"), *titles], label="Primary endpoint"
        )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("attested"):
            for name in ("on", "document"):
                if not data.get(name):
                    self.add_error(name, "State it: it is printed with the results.")
        if data.get("primary") and data["primary"] not in data.get("analyses", []):
            self.add_error("primary", "Choose it among the analyses as well.")
        stated = data.get("attested") and data.get("on") and data.get("document")
        data["attestation"] = (
            {"on": data["on"].isoformat(), "document": data["document"]} if stated else None
        )
        return data


class StoreForm(forms.Form):
    """Store the ratings; what is faulty may be left out."""

    leave_out = forms.BooleanField(required=False, label="Leave out what is faulty")


class DeleteForm(forms.Form):
    reason = forms.CharField(
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Kept in the audit log with your name.",
    )
