"""A REDCap project of a study: the data dictionary, and one record for each reading.

The dictionary has the 18 columns of REDCap's own template; each question becomes a field of the
form ``answers``, what is known of the case stands in the form ``truth``. A question answered with
"not evaluable" has the choice ``not_evaluable``, or a field of its own where it has no choices.
Source: REDCap's help on the data dictionary and on importing records.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from readerstudy.analysis.exports.redcap_names import Names, choices_text, codes_of, plain_text
from readerstudy.analysis.facts import EQUAL, ORIGINS, UNKNOWN, Dataset, Item, QuestionFacts, Read
from readerstudy.core.cells import safe_cell

COLUMNS = (
    "Variable / Field Name",
    "Form Name",
    "Section Header",
    "Field Type",
    "Field Label",
    "Choices, Calculations, OR Slider Labels",
    "Field Note",
    "Text Validation Type OR Show Slider Number",
    "Text Validation Min",
    "Text Validation Max",
    "Identifier?",
    "Branching Logic (Show field only if...)",
    "Required Field?",
    "Custom Alignment",
    "Question Number (surveys only)",
    "Matrix Group Name",
    "Matrix Ranking?",
    "Field Annotation",
)
READING, ANSWERS, TRUTH = "reading", "answers", "truth"
FORMS = (READING, ANSWERS, TRUTH)
PLACES = ("period", "position", "stage", "repeat")
FIXED = (*("reader", "item", "case_code", "subject", "arm", "received_at"), *PLACES,
         *("true_origin", "true_generator"))  # fmt: skip
NOT_EVALUABLE = "not_evaluable"
CHOICES = ("single", "ordinal", "confidence")
COMPLETE = "2"
DICTIONARY, RECORDS = "redcap_dictionary.csv", "redcap_records.csv"


@dataclass(frozen=True)
class Field:
    """One field of the dictionary; names as REDCap knows them, choices as (raw value, label)."""

    name: str
    form: str
    label: str
    kind: str = "text"
    choices: tuple[tuple[str, str], ...] = ()
    validation: str = ""
    low: str = ""
    high: str = ""
    note: str = ""
    shown_if: str = ""
    required: bool = False
    header: str = ""

    def row(self) -> dict[str, str]:
        """Return the row of the dictionary."""
        cells = (
            *(self.name, self.form, plain_text(self.header), self.kind, plain_text(self.label)),
            *(choices_text(self.choices), plain_text(self.note), self.validation),
            *(self.low, self.high, "", self.shown_if, "y" if self.required else ""),
            *("", "", "", "", ""),
        )
        return dict(zip(COLUMNS, cells, strict=True))


@dataclass(frozen=True)
class Asked:
    """A question with its fields and the raw values of its choices."""

    question: QuestionFacts
    name: str
    codes: Mapping[str, str]
    measures: Mapping[str, str] = field(default_factory=dict)  # measured number → field
    skip: str = ""  # field of "not evaluable", for questions without choices

    @property
    def has_choices(self) -> bool:
        return bool(self.codes)


def redcap_files(data: Dataset) -> dict[str, bytes]:
    """Return the data dictionary and the records."""
    names = Names(taken=FIXED)
    asked = [_asked(one, names, data) for one in data.protocol.questions]
    references = {
        endpoint: names.of(f"ref_{endpoint}")
        for endpoint in sorted({e for item in data.items.values() for e in item.references})
    }
    fields = [*_reading_fields(data), *_question_fields(data, asked), *_truth_fields(references)]
    rows = _records(data, asked, references)
    header = _record_columns(fields)
    return {
        DICTIONARY: _csv(COLUMNS, (one.row() for one in fields)),
        RECORDS: _csv(header, rows),
    }


def _csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(columns), restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def _asked(question: QuestionFacts, names: Names, data: Dataset) -> Asked:
    name = names.of(question.code)
    codes = _codes(question, data.protocol.places)
    skips = question.may_be_not_evaluable or any(
        question.code in read.not_evaluable for read in data.reads
    )
    if codes and skips and question.kind != "multi":
        codes = codes_of([*codes, NOT_EVALUABLE])
    measured = sorted(
        {m for read in data.reads for m in _measured(read.answers.get(question.code))}
    )
    return Asked(
        question,
        name,
        codes,
        {one: names.of(f"{question.code}_{one}") for one in measured},
        names.of(f"{question.code}_not_evaluable") if skips and NOT_EVALUABLE not in codes else "",
    )


def _codes(question: QuestionFacts, places: int) -> dict[str, str]:
    if question.kind == "place":
        members = [str(number) for number in range(places)]
        return codes_of([*members, EQUAL] if question.equal else members)
    if question.kind in (*CHOICES, "multi"):
        return codes_of(question.levels)
    return {}


def _measured(value: Any) -> Mapping[str, float]:
    found: Mapping[str, float] = value.get("measured") or {} if isinstance(value, dict) else {}
    return found


def _reading_fields(data: Dataset) -> list[Field]:
    readers = _choices(data.reader_codes)
    arms = [(codes_of(data.protocol.arm_codes)[one], data.protocol.arm_name(one))
            for one in data.protocol.arm_codes]  # fmt: skip
    return [
        Field("record_id", READING, "Reading", note="reader-arm-period-item-stage-repeat"),
        Field("reader", READING, "Reader", "radio", readers, required=True),
        Field("item", READING, "Item: the case, or the first of several beside each other"),
        Field("case_code", READING, "Case"),
        Field("subject", READING, "Subject: cases of one subject are not independent"),
        Field("arm", READING, "Arm", "radio", tuple(arms), required=True),
        _count("period", "Period, from 1", low="1"),
        _count("position", "Place in the order of the reader, from 1", low="1"),
        _count("stage", "Stage of a sequential reading, from 1", low="1"),
        _count("repeat", "1 if the case was shown a second time, else 0", low="0"),
        Field(
            "received_at",
            READING,
            "Answer received (UTC)",
            validation="datetime_seconds_ymd",
        ),
    ]


def _count(name: str, label: str, *, low: str) -> Field:
    return Field(name, READING, label, validation="integer", low=low)


def _choices(codes: Iterable[str]) -> tuple[tuple[str, str], ...]:
    return tuple((raw, code) for code, raw in codes_of(codes).items())


def _question_fields(data: Dataset, asked: Sequence[Asked]) -> list[Field]:
    by_code = {one.question.code: one for one in asked}
    fields: list[Field] = []
    for one in asked:
        logic = shown_if(one.question, by_code, data.protocol.arm_codes)
        fields.append(_question_field(one, logic))
        if one.skip:
            label = f"Not evaluable: {one.question.text}"
            fields.append(Field(one.skip, ANSWERS, label, "yesno", shown_if=logic))
        fields += [
            Field(name, ANSWERS, f"{one.question.text}: {measure}", validation="number",
                  shown_if=logic)
            for measure, name in one.measures.items()
        ]  # fmt: skip
    return fields


def _question_field(one: Asked, logic: str) -> Field:
    asked = one.question
    # What is skipped in a field of its own cannot be required here.
    common: dict[str, Any] = {
        "name": one.name,
        "form": ANSWERS,
        "label": asked.text,
        "shown_if": logic,
        "required": asked.required and not one.skip,
    }
    if asked.kind == "number" or (asked.kind == "confidence" and not asked.options):
        return Field(
            **common,
            validation="integer" if asked.whole else "number",
            low=_bound(asked.minimum),
            high=_bound(asked.maximum),
            note=asked.unit,
        )
    if one.has_choices:
        kind = "checkbox" if asked.kind == "multi" else "radio"
        labels = tuple((raw, _label(asked, level)) for level, raw in one.codes.items())
        return Field(**common, kind=kind, choices=labels, note=asked.help[:200])
    if asked.kind == "ranking":
        return Field(**common, note="images from the first rank on, counted from 0: 1|0|2")
    if asked.kind == "region":
        return Field(**common, kind="notes", note="kind, series, plane; points in LPS, mm: x y z")
    return Field(**common, kind="notes")


def _bound(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _label(question: QuestionFacts, level: str) -> str:
    if level == NOT_EVALUABLE:
        return "Not evaluable"
    if question.kind == "place":
        return "Equal" if level == EQUAL else f"Image {int(level) + 1} of the protocol"
    option = next(one for one in question.options if one.code == level)
    return f"{option.label}: {option.anchor}" if option.anchor else option.label


def _truth_fields(references: Mapping[str, str]) -> list[Field]:
    origins = _choices([*ORIGINS, UNKNOWN])
    return [
        Field("true_origin", TRUTH, "Origin of the case", "radio", origins, header="Truth"),
        Field("true_generator", TRUTH, "Generator of a synthetic case"),
        *(
            Field(name, TRUTH, f"Reference standard: {endpoint}")
            for endpoint, name in references.items()
        ),
    ]


def shown_if(question: QuestionFacts, asked: Mapping[str, Asked], arms: Sequence[str]) -> str:
    """Return the branching logic of a question: its arms, what it is bound to, its display rule."""
    parts = []
    if question.arms and set(question.arms) != set(arms):
        codes = codes_of(arms)
        parts.append(_any(f"[arm] = '{codes[arm]}'" for arm in question.arms if arm in codes))
    if question.bound_to in asked:
        parts.append(_has_value(asked[question.bound_to]))
    for how, conditions in question.show_if.items():
        terms = [_term(one, asked[one["question"]]) for one in conditions]
        parts.append(_all(terms) if how == "all" else _any(terms))
    return _all(part for part in parts if part)


def _any(terms: Iterable[str]) -> str:
    return _joined(terms, " or ")


def _all(terms: Iterable[str]) -> str:
    return _joined(terms, " and ")


def _joined(terms: Iterable[str], word: str) -> str:
    found = list(terms)
    return found[0] if len(found) == 1 else word.join(f"({term})" for term in found)


def _term(condition: Mapping[str, Any], of: Asked) -> str:
    if "answered" in condition:
        return _answered(of, yes=bool(condition["answered"]))
    if "is" in condition:
        return _any(_equals(of, code) for code in condition["is"])
    if "not" in condition:
        differ = [_differs(of, code) for code in condition["not"]]
        return _all([_has_value(of), *differ])
    sign = ">=" if "at_least" in condition else "<="
    bound = condition.get("at_least", condition.get("at_most"))
    return _all([_has_value(of), f"[{of.name}] {sign} {bound:g}"])


def _equals(of: Asked, code: str) -> str:
    raw = of.codes.get(code, code)
    return f"[{of.name}({raw})] = '1'" if of.question.kind == "multi" else f"[{of.name}] = '{raw}'"


def _differs(of: Asked, code: str) -> str:
    raw = of.codes.get(code, code)
    return f"[{of.name}({raw})] = '0'" if of.question.kind == "multi" else f"[{of.name}] <> '{raw}'"


def _answered(of: Asked, *, yes: bool) -> str:
    """Was it answered at all? "Not evaluable" is an answer here, as it is on the page."""
    boxes = [f"{of.name}({raw})" for raw in of.codes.values()] * (of.question.kind == "multi")
    ticks = [*boxes, of.skip] if of.skip else boxes
    filled = [] if boxes else [of.name]
    if yes:
        return _any([f"[{one}] = '1'" for one in ticks] + [f"[{one}] <> ''" for one in filled])
    return _all([f"[{one}] <> '1'" for one in ticks] + [f"[{one}] = ''" for one in filled])


def _has_value(of: Asked) -> str:
    """Has it a value other than "not evaluable"?"""
    if of.question.kind == "multi":
        return _any(f"[{of.name}({raw})] = '1'" for raw in of.codes.values())
    value = f"[{of.name}] <> ''"
    if NOT_EVALUABLE in of.codes:
        return _all([value, f"[{of.name}] <> '{of.codes[NOT_EVALUABLE]}'"])
    return value


def _record_columns(fields: Sequence[Field]) -> list[str]:
    columns: list[str] = []
    for form in FORMS:
        for one in (each for each in fields if each.form == form):
            boxes = one.kind == "checkbox"
            columns += [f"{one.name}___{raw}" for raw, _ in one.choices] if boxes else [one.name]
        columns.append(f"{form}_complete")
    return columns


def _records(
    data: Dataset, asked: Sequence[Asked], references: Mapping[str, str]
) -> Iterable[dict[str, str]]:
    readers, arms = codes_of(data.reader_codes), codes_of(data.protocol.arm_codes)
    for read in data.reads:
        item = data.items.get(read.item)
        cells = _place(read, readers, arms)
        for one in asked:
            cells |= _answer(one, read)
        yield {**cells, **_truth(read, item, references)}


def _place(read: Read, readers: Mapping[str, str], arms: Mapping[str, str]) -> dict[str, str]:
    numbers = (read.period, read.position, read.stage, read.repeat)
    record = (read.reader, read.arm, read.period, read.item, read.stage, read.repeat)
    at = read.received_at
    return {
        "record_id": "-".join(map(str, record)),
        "reader": readers.get(read.reader, read.reader),
        "item": read.item,
        "case_code": read.case,
        "subject": read.subject,
        "arm": arms.get(read.arm, read.arm),
        **dict(zip(PLACES, map(str, numbers), strict=True)),
        "received_at": at.strftime("%Y-%m-%d %H:%M:%S") if at else "",
        **{f"{form}_complete": COMPLETE for form in FORMS},
    }


def _answer(one: Asked, read: Read) -> dict[str, str]:
    code, value = one.question.code, read.answers.get(one.question.code)
    skipped = code in read.not_evaluable
    cells = {one.skip: "1" if skipped else "0"} if one.skip and (skipped or value) else {}
    if skipped:
        own = {} if one.skip else {one.name: one.codes[NOT_EVALUABLE]}
        return cells | own
    if value is None:
        return cells
    if one.question.kind == "multi":
        ticked = {f"{one.name}___{raw}": str(int(level in value))
                  for level, raw in one.codes.items()}  # fmt: skip
        return cells | ticked
    measured = {one.measures[name]: repr(number) for name, number in _measured(value).items()}
    return cells | measured | {one.name: _text(one, value)}


def _text(one: Asked, value: Any) -> str:
    if isinstance(value, dict) and "members" in value:
        members = [str(member) for member in value["members"]]
        if one.question.kind == "place":
            return one.codes[members[0] if members else EQUAL]
        return "|".join(members)
    if isinstance(value, dict):
        points = value.get("points_lps_mm") or []
        told = "; ".join(" ".join(repr(number) for number in point) for point in points)
        return f"{value['kind']} {value['role']} {value['plane']}: {told}"
    if isinstance(value, str):
        return one.codes.get(value, safe_cell(value))
    return repr(value) if isinstance(value, float) else str(value)


def _truth(read: Read, item: Item | None, references: Mapping[str, str]) -> dict[str, str]:
    found = item.references if item else {}
    return {
        "true_origin": read.origin,
        "true_generator": safe_cell(read.generator),
        **{name: safe_cell(found.get(endpoint, "")) for endpoint, name in references.items()},
    }
