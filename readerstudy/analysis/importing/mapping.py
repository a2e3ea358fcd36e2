"""What the columns of a table of ratings mean: stated once, kept with the import as JSON."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from readerstudy.analysis.facts import ORIGINS, OptionFacts, QuestionFacts
from readerstudy.core.errors import ReaderStudyError
from readerstudy.studies import analysis_plan
from readerstudy.studies.analysis_plan import Plan

WIDE, LONG, READERS = "wide", "long", "readers"
FORMS = {
    WIDE: "One row for each reading, a column for each question",
    LONG: "One row for each answer: the question in one column, the answer in another",
    READERS: "One row for each case, a column for each reader",
}
ROLES = {
    "reader": "Reader",
    "case": "Case",
    "subject": "Patient, where one has several cases",
    "arm": "Arm or modality",
    "period": "Period or session, from 1",
    "order": "Place in the reader's order",
    "repeat": "Repeated reading of a case: 0, then 1",
    "stratum": "Stratum",
    "origin": "Real or synthetic",
    "generator": "Generator of a synthetic image",
    "years": "Years of experience of the reader",
    "question": "Question",
    "value": "Answer",
}
NEEDED = {WIDE: ("reader", "case"), LONG: ("reader", "case", "question", "value"),
          READERS: ("case",)}  # fmt: skip
KINDS = {
    "single": "One of several",
    "ordinal": "Ordered levels",
    "rating": "A rating of how sure the reader is, on one scale",
    "confidence": "Confidence in another answer",
    "multi": "Any number of choices",
    "number": "A number",
    "text": "Free text",
}
WITH_LEVELS = frozenset({"single", "ordinal", "multi"})
MISSING = ("", "na", "n/a", "nan", "none", "null", "-", "–", ".", "missing")
NOT_EVALUABLE = ("not evaluable", "ne", "n.e.", "not assessable", "uninterpretable")
ORIGIN_WORDS = {
    "real": ("real", "r", "true image", "authentic"),
    "synthetic": ("synthetic", "fake", "s", "generated", "gan", "simulated"),
}
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
MAX_QUESTIONS, MAX_LEVELS, MAX_TEXT = 60, 60, 200


@dataclass(frozen=True)
class Level:
    """One level of a question or one arm: how it is written in the table beside its own code."""

    code: str
    label: str = ""
    values: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        return self.label or self.code

    @property
    def spellings(self) -> set[str]:
        """Everything that stands for it, without regard to case."""
        return {one.strip().casefold() for one in (self.code, self.label, *self.values) if one}


@dataclass(frozen=True)
class QuestionMapping:
    """A question that was answered.

    Attributes
    ----------
    code, text, kind : str
        Code in results; words; one of KINDS.
    source : str
        Column with its answers, or in the form "long" what stands in the question column.
    levels : tuple of Level
        In order, lowest first. Of a rating: two, the negative and the positive one.
    bound_to : str
        Of a confidence: the question it speaks of.
    minimum, maximum : float or None
        Of a number; of a rating and a confidence without levels both are needed.
    threshold : float or None
        Of a rating: above it, the positive level is called; None: the middle of the scale.
    truth : mapping
        How the right answer follows: {"source": "origin", "real": code, "synthetic": code} or
        {"source": "reference", "endpoint": name, "values": {value: code}}.
    """

    code: str
    text: str = ""
    kind: str = "single"
    source: str = ""
    levels: tuple[Level, ...] = ()
    bound_to: str = ""
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    threshold: float | None = None
    truth: Mapping[str, Any] = field(default_factory=dict)

    @property
    def middle(self) -> float:
        """Above which a rating calls the positive level."""
        if self.threshold is not None:
            return self.threshold
        return ((self.minimum or 0.0) + (self.maximum or 0.0)) / 2

    @property
    def sureness(self) -> str:
        """Code of the confidence that a rating makes beside its call."""
        return f"{self.code}_sureness"

    @property
    def reach(self) -> float:
        """Greatest distance of a rating from its threshold."""
        return max((self.maximum or 0.0) - self.middle, self.middle - (self.minimum or 0.0))

    def facts(self) -> list[QuestionFacts]:
        """Return the question as analyses know it; of a rating its call and its sureness."""
        options = tuple(OptionFacts(one.code, one.words) for one in self.levels)
        text = self.text or self.code
        if self.kind == "rating":
            call = QuestionFacts(self.code, text, "single", options, truth=self.truth)
            sure = QuestionFacts(
                self.sureness,
                f"{text}: distance from {self.middle:g}",
                "confidence",
                bound_to=self.code,
                minimum=0.0,
                maximum=self.reach,
            )
            return [call, sure]
        return [
            QuestionFacts(
                self.code,
                text,
                self.kind,
                options,
                unit=self.unit,
                bound_to=self.bound_to,
                truth=self.truth,
                minimum=self.minimum,
                maximum=self.maximum,
            )
        ]


@dataclass(frozen=True)
class Attested:
    """The user's word that the analysis was planned before the data were seen."""

    on: str
    document: str


@dataclass(frozen=True)
class RatingsMapping:
    """What a table of ratings means.

    Attributes
    ----------
    name : str
        Title of the results.
    form : str
        Key of FORMS.
    columns : mapping
        Role (key of ROLES) to the name of its column.
    readers : mapping
        In the form "readers": column to the code of the reader.
    arms : tuple of Level
        In order, the reference first; empty: as they come, or one.
    origins : mapping
        "real" and "synthetic" to how they are written.
    references : mapping
        Endpoint of the reference standard, time, event or covariate to its column.
    missing, not_evaluable : tuple of str
        What stands for no answer, and for "not evaluable"; case is ignored.
    decimal : str
        "." or ",".
    plan : Plan
    attested : Attested or None
        None: all results are exploratory.
    """

    name: str
    form: str
    columns: Mapping[str, str]
    questions: tuple[QuestionMapping, ...]
    readers: Mapping[str, str] = field(default_factory=dict)
    arms: tuple[Level, ...] = ()
    origins: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: dict(ORIGIN_WORDS))
    references: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = MISSING
    not_evaluable: tuple[str, ...] = NOT_EVALUABLE
    decimal: str = "."
    margin: float = 0.1
    plan: Plan = ()
    attested: Attested | None = None

    @property
    def facts_of_questions(self) -> tuple[QuestionFacts, ...]:
        return tuple(facts for one in self.questions for facts in one.facts())


def document_of(mapping: RatingsMapping) -> dict[str, Any]:
    """Return a mapping as JSON; `parse` gives it back."""
    made = asdict(mapping)
    made["plan"] = analysis_plan.document_of(mapping.plan)
    return made


def parse(document: Any) -> RatingsMapping:
    """Return the mapping that a JSON document describes.

    Raises
    ------
    ReaderStudyError
        With the first fault, in words.
    """
    _require(isinstance(document, Mapping), "A mapping must be an object.")
    _known(document, RatingsMapping, "A mapping")
    questions = document.get("questions", [])
    _require(isinstance(questions, list | tuple), "The questions must be a list.")
    made = {
        **document,
        "name": _text(document.get("name"), "The name"),
        "form": document.get("form", WIDE),
        "columns": _texts_of(document.get("columns", {}), "columns"),
        "questions": tuple(_question(one) for one in questions),
        "readers": _texts_of(document.get("readers", {}), "readers"),
        "references": _texts_of(document.get("references", {}), "references"),
        "arms": _levels(document.get("arms", ())),
        "plan": analysis_plan.parse(document.get("plan", [])),
        "attested": _attested(document.get("attested")),
        "origins": _origins(document.get("origins")),
        **{
            name: tuple(_strings(document[name], name))
            for name in ("missing", "not_evaluable")
            if name in document
        },
    }
    mapping = RatingsMapping(**made)
    _check(mapping)
    return mapping


def _require(holds: object, message: str) -> None:
    if not holds:
        raise ReaderStudyError(message, code="mapping")


def _known(document: Mapping[str, Any], kind: type, what: str) -> None:
    unknown = set(document) - {one.name for one in fields(kind)}
    _require(not unknown, f"{what} has an unknown entry, {min(map(str, unknown), default='')}.")


def _text(value: Any, what: str) -> str:
    _require(isinstance(value, str) and value.strip(), f"{what} must be filled in.")
    _require(len(value) <= MAX_TEXT, f"{what} has at most {MAX_TEXT} characters.")
    return " ".join(str(value).split())


def _strings(value: Any, what: str) -> list[str]:
    whole = isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)
    _require(whole, f"“{what}” must be a list of texts.")
    return list(value)


def _texts_of(value: Any, what: str) -> dict[str, str]:
    _require(
        isinstance(value, Mapping)
        and all(isinstance(text, str) for pair in value.items() for text in pair),
        f"“{what}” must be an object of texts.",
    )
    return {str(key): text for key, text in value.items() if text}


def _levels(value: Any) -> tuple[Level, ...]:
    _require(isinstance(value, list | tuple), "Levels and arms must be lists.")
    _require(len(value) <= MAX_LEVELS, f"There are at most {MAX_LEVELS} levels.")
    return tuple(_level(one) for one in value)


def _level(value: Any) -> Level:
    made = {"code": value} if isinstance(value, str) else value
    _require(isinstance(made, Mapping), "A level must be a text or an object.")
    _known(made, Level, "A level")
    code, label = made.get("code"), made.get("label", "")
    _require(isinstance(code, str) and code.strip(), "A level needs a code.")
    _require(isinstance(label, str), "The label of a level must be a text.")
    return Level(str(code).strip(), label, tuple(_strings(made.get("values", ()), "values")))


def _question(value: Any) -> QuestionMapping:
    _require(isinstance(value, Mapping), "Each question must be an object.")
    _known(value, QuestionMapping, "A question")
    code = value.get("code")
    _require(
        isinstance(code, str) and CODE.fullmatch(code),
        f"The code {code!r} of a question may hold letters, digits, - and _, at most 32.",
    )
    for name in ("text", "kind", "source", "bound_to", "unit"):
        _require(isinstance(value.get(name, ""), str), f"“{code}”: {name} must be a text.")
    for name in ("minimum", "maximum", "threshold"):
        _require(_is_number(value.get(name)), f"“{code}”: {name} must be a number.")
    _require(isinstance(value.get("truth", {}), Mapping), f"“{code}”: truth must be an object.")
    return QuestionMapping(**{**value, "levels": _levels(value.get("levels", ()))})


def _is_number(value: Any) -> bool:
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return value is None or (plain and math.isfinite(value))


def _attested(value: Any) -> Attested | None:
    if value is None:
        return None
    _require(isinstance(value, Mapping), "“attested” must be an object.")
    _known(value, Attested, "“attested”")
    document = _text(value.get("document"), "The document that holds the plan")
    on = value.get("on")
    dated = isinstance(on, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", on)
    _require(dated, "State the date of the plan as year-month-day.")
    return Attested(str(on), document)


def _origins(value: Any) -> dict[str, tuple[str, ...]]:
    if value is None:
        return dict(ORIGIN_WORDS)
    known = isinstance(value, Mapping) and set(value) <= set(ORIGINS)
    _require(known, "“origins” says how real and synthetic are written.")
    return {name: tuple(_strings(words, name)) for name, words in value.items()}


def _check(mapping: RatingsMapping) -> None:
    _require(mapping.form in FORMS, f"There is no form {mapping.form!r}.")
    _require(mapping.decimal in (".", ","), "The decimal sign is a point or a comma.")
    _require(not set(mapping.columns) - set(ROLES), "A column has an unknown meaning.")
    for role in NEEDED[mapping.form]:
        _require(mapping.columns.get(role), f"Say which column holds: {ROLES[role].lower()}.")
    _once([*mapping.columns.values(), *mapping.references.values(), *mapping.readers],
          "The column “{}” has two meanings.")  # fmt: skip
    _once([one.code for one in mapping.arms], "Two arms have the code “{}”.")
    _require(mapping.questions, "Define at least one question.")
    _require(len(mapping.questions) <= MAX_QUESTIONS, "There are too many questions.")
    _once([one.code for one in mapping.facts_of_questions], "Two questions have the code “{}”.")
    if mapping.form == READERS:
        _require(
            len(mapping.questions) == 1, "With a column for each reader there is one question."
        )
        _require(mapping.readers, "Say which columns hold the readers' answers.")
        _once(list(mapping.readers.values()), "Two columns hold the reader “{}”.")
    for question in mapping.questions:
        _check_question(question, mapping)
    _check_plan(mapping)


def _once(values: Sequence[str], message: str) -> None:
    twice = next((one for one in values if values.count(one) > 1), None)
    _require(twice is None, message.format(twice))


def _check_question(one: QuestionMapping, mapping: RatingsMapping) -> None:
    named = f"“{one.text or one.code}”"
    _require(one.kind in KINDS, f"{named} is of the unknown kind {one.kind!r}.")
    if mapping.form != READERS:
        _require(one.source, f"{named}: say where its answers stand.")
    if one.kind in WITH_LEVELS:
        _require(len(one.levels) >= 2, f"{named} needs at least two levels.")
    _check_levels(one.levels, named)
    if one.kind == "rating":
        _require(len(one.levels) == 2, f"{named}: name the negative and the positive level.")
    if one.kind == "rating" or (one.kind == "confidence" and not one.levels):
        _require(None not in (one.minimum, one.maximum), f"{named}: state the ends of the scale.")
    if one.minimum is not None and one.maximum is not None:
        _require(
            one.minimum < one.maximum, f"{named}: the least value must lie below the greatest."
        )
        inside = one.minimum <= one.middle <= one.maximum
        _require(inside, f"{named}: the threshold must lie within the scale.")
    if one.kind == "confidence":
        known = {other.code for other in mapping.questions}
        _require(one.bound_to in known, f"{named}: name the question it states the confidence of.")
    _check_truth(one, mapping, named)


def _check_levels(levels: Iterable[Level], named: str) -> None:
    seen: dict[str, str] = {}
    for level in levels:
        for text in level.spellings:
            other = seen.setdefault(text, level.code)
            _require(other == level.code, f"{named}: “{text}” stands for two levels.")


def _check_truth(one: QuestionMapping, mapping: RatingsMapping, named: str) -> None:
    source, codes = one.truth.get("source"), {level.code for level in one.levels}
    if not one.truth:
        return
    _require(source in ("origin", "reference"), f"{named}: truth follows origin or reference.")
    if source == "origin":
        right = {one.truth.get(origin) for origin in ORIGINS}
        _require(right <= codes, f"{named}: say which level is right for real and for synthetic.")
        return
    endpoint = one.truth.get("endpoint")
    _require(endpoint in mapping.references, f"{named}: there is no reference {endpoint!r}.")
    values = one.truth.get("values", {})
    _require(isinstance(values, Mapping), f"{named}: the values of the truth must be an object.")
    _require(set(values.values()) <= codes, f"{named}: the truth names a level that it lacks.")


def _check_plan(mapping: RatingsMapping) -> None:
    asked = [one.code for one in mapping.facts_of_questions]
    arms = [one.code for one in mapping.arms]
    found = analysis_plan.gaps(mapping.plan, questions=asked, arms=arms)
    _require(not found, found[0] if found else "")
