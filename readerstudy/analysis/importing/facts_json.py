"""A data set of ratings from elsewhere as JSON, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from readerstudy.analysis.facts import (
    Dataset,
    Item,
    OptionFacts,
    Protocol,
    QuestionFacts,
    Read,
    ReaderFacts,
)
from readerstudy.studies import analysis_plan

FORMAT = "readerstudy-facts-1"
COUNTS = ("n_real", "n_synthetic", "late", "duplicates", "missing", "withdrawn")


def to_json(data: Dataset) -> dict[str, Any]:
    """Return a data set without a study as JSON; `from_json` gives it back.

    Raises
    ------
    ValueError
        For the data set of a study, which is read from its rows.
    """
    if data.study is not None:
        raise ValueError("only ratings that were collected elsewhere are written as facts")
    protocol = {
        "name": data.protocol.name,
        "questions": [asdict(one) for one in data.protocol.questions],
        "arms": [list(one) for one in data.protocol.arms],
        "plan": analysis_plan.document_of(data.protocol.plan),
        "margin": data.protocol.margin,
    }
    return {
        "format": FORMAT,
        "protocol": protocol,
        "items": [asdict(one) for one in data.items.values()],
        "readers": [asdict(one) for one in data.readers],
        "reads": [_read_json(one) for one in data.reads],
        **{name: getattr(data, name) for name in COUNTS},
    }


def _read_json(read: Read) -> dict[str, Any]:
    made = {name: getattr(read, name) for name in READ_FIELDS}
    return {**made, "not_evaluable": sorted(read.not_evaluable)}


READ_FIELDS = ("reader", "period", "position", "arm", "repeat", "item", "answers")


def from_json(document: Mapping[str, Any]) -> Dataset:
    """Return the data set that `to_json` wrote.

    Raises
    ------
    ValueError
        For another format.
    """
    if document.get("format") != FORMAT:
        raise ValueError(f"facts must be of the format {FORMAT}, got {document.get('format')!r}")
    items = {one["code"]: _item(one) for one in document["items"]}
    return Dataset(
        study=None,
        readers=[ReaderFacts(**one) for one in document["readers"]],
        reads=[_read(one, items) for one in document["reads"]],
        protocol=_protocol(document["protocol"]),
        items=items,
        **{name: document[name] for name in COUNTS},
    )


def _item(made: Mapping[str, Any]) -> Item:
    tuples = {name: tuple(made[name]) for name in ("cases", "origins", "generators")}
    return Item(**{**made, **tuples})


def _read(made: Mapping[str, Any], items: Mapping[str, Item]) -> Read:
    item = items[made["item"]]
    return Read(
        **{name: made[name] for name in READ_FIELDS},
        stage=1,
        case=item.code,
        subject=item.subject,
        origin=item.origin,
        generator=item.generator,
        not_evaluable=frozenset(made["not_evaluable"]),
        received_at=None,
        clocks=(),
    )


def _protocol(made: Mapping[str, Any]) -> Protocol:
    return Protocol(
        name=made["name"],
        questions=tuple(_question(one) for one in made["questions"]),
        arms=tuple((code, name) for code, name in made["arms"]),
        plan=analysis_plan.parse(made["plan"]),
        margin=made["margin"],
    )


def _question(made: Mapping[str, Any]) -> QuestionFacts:
    options = tuple(OptionFacts(**one) for one in made["options"])
    return QuestionFacts(**{**made, "options": options, "arms": tuple(made["arms"])})
