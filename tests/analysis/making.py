"""Data sets without a database: facts, items and reads as a test wants them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from readerstudy.analysis.facts import (
    UNKNOWN,
    Dataset,
    Item,
    OptionFacts,
    Protocol,
    QuestionFacts,
    Read,
    ReaderFacts,
)

ORIGIN = QuestionFacts(
    code="origin",
    text="Is this image real or synthetic?",
    kind="single",
    options=(OptionFacts("real", "Real"), OptionFacts("synthetic", "Synthetic")),
    truth={"source": "origin", "real": "real", "synthetic": "synthetic"},
)
CONFIDENCE = QuestionFacts(
    code="confidence",
    text="How sure are you?",
    kind="confidence",
    options=tuple(OptionFacts(str(n), f"Level {n}") for n in range(1, 6)),
    bound_to="origin",
)


def question(code: str, *levels: str, kind: str = "single", **more: Any) -> QuestionFacts:
    """A question whose levels are their own labels."""
    options = tuple(OptionFacts(level, level.capitalize()) for level in levels)
    return QuestionFacts(code=code, text=code.capitalize(), kind=kind, options=options, **more)


def item(
    code: str,
    origin: str = UNKNOWN,
    *,
    subject: str = "",
    stratum: str = "",
    generator: str = "",
    right: Mapping[str, Any] | None = None,
    references: Mapping[str, str] | None = None,
) -> Item:
    """An item of one case; where its origin is known so is the right answer to ORIGIN."""
    known = {"origin": origin} if origin in ("real", "synthetic") else {}
    return Item(
        code=code,
        cases=(code,),
        subject=subject or f"S-{code}",
        stratum=stratum,
        origins=(origin,),
        generators=(generator,),
        references=references or {},
        right={**known, **(right or {})},
    )


def read(
    reader: str,
    of: Item,
    answers: Mapping[str, Any] | None = None,
    *,
    arm: str = "main",
    period: int = 1,
    position: int = 1,
    repeat: int = 0,
    not_evaluable: Iterable[str] = (),
    clocks: Sequence[Mapping[str, Any]] = (),
    **more: Any,
) -> Read:
    """One accepted reading of an item."""
    return Read(
        reader=reader,
        period=period,
        position=position,
        arm=arm,
        stage=1,
        repeat=repeat,
        item=of.code,
        case=of.cases[0],
        subject=of.subject,
        origin=of.origin,
        generator=of.generator,
        answers=dict(answers or {}),
        not_evaluable=frozenset(not_evaluable),
        clocks=tuple(dict(clock) for clock in clocks),
        **{"received_at": None, **more},
    )


def dataset(
    reads: Iterable[Read],
    items: Iterable[Item],
    *,
    questions: Sequence[QuestionFacts] = (ORIGIN, CONFIDENCE),
    readers: Sequence[str] = (),
    years: Mapping[str, int] | None = None,
    planned: int | None = None,
    missing: int = 0,
    settled: Mapping[str, Any] | None = None,
    **protocol: Any,
) -> Dataset:
    """A data set of these reads; readers are those named, else those who read."""
    listed, known = list(reads), list(items)
    codes = list(readers) or sorted({one.reader for one in listed})
    return Dataset(
        study=None,
        readers=[
            ReaderFacts(
                code,
                (years or {}).get(code),
                "",
                planned if planned is not None else sum(one.reader == code for one in listed),
            )
            for code in codes
        ],
        reads=listed,
        n_real=sum(one.origin == "real" for one in known),
        n_synthetic=sum(one.origin == "synthetic" for one in known),
        late=0,
        duplicates=0,
        missing=missing,
        protocol=Protocol(name="A study", questions=tuple(questions), **protocol),
        items={one.code: one for one in known},
        settled=settled or {},
    )
