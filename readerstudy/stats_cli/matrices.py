"""Ratings of a long table as a matrix of cases by readers, with errors that name the line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from readerstudy import stats
from readerstudy.stats_cli.errors import WrongUse
from readerstudy.stats_cli.formatting import is_undefined
from readerstudy.stats_cli.options import CASE, READER, SCORE, find
from readerstudy.stats_cli.tables import MISSING, Label, Table, in_order


@dataclass(frozen=True)
class RatingsTable:
    """Ratings, one row per case and one column per reader.

    Attributes
    ----------
    matrix : ndarray
        Floats with NaN, or labels with None, where a rating is missing.
    readers : tuple
        Names of the columns.
    columns : dict
        Which columns of the file were used.
    """

    matrix: npt.NDArray[Any]
    readers: tuple[Label, ...]
    columns: dict[str, Any]

    @property
    def incomplete(self) -> int:
        """Cases that lack a rating."""
        rows = self.matrix.tolist()
        return sum(any(cell is None or is_undefined(cell) for cell in row) for row in rows)


def read_ratings(
    table: Table, options: argparse.Namespace, categories: Sequence[Any] | None
) -> RatingsTable:
    """Read ratings from a column per reader, or from one row per rating."""
    if options.readers:
        names = [table.require(name) for name in options.readers]
        values = [ratings_of(table, name, categories) for name in names]
        matrix: npt.NDArray[Any] = np.array(values, dtype=_kind(values)).T
        return RatingsTable(matrix, tuple(names), {"readers": names})
    return _long(table, options, categories)


def _kind(columns: Sequence[Sequence[Any]]) -> type:
    numeric = all(isinstance(value, float) for values in columns for value in values)
    return float if numeric else object


def _long(
    table: Table, options: argparse.Namespace, categories: Sequence[Any] | None
) -> RatingsTable:
    case = find(table, options.case, CASE, "cases", "case")
    reader = find(table, options.reader, READER, "readers", "reader")
    rating = answer_column(table, options.rating)
    refuse_several_questions(table, rating)
    refuse_second_reads(table, reader, case)
    readers = table.labels(reader)
    values = ratings_of(table, rating, categories)
    matrix = stats.ratings_matrix(
        subject=table.labels(case), rater=readers, rating=np.asarray(values, dtype=_kind([values]))
    )
    names = tuple(in_order(readers))
    return RatingsTable(matrix, names, {"case": case, "reader": reader, "rating": rating})


def answer_column(table: Table, given: str | None) -> str:
    """Return the column of the ratings; in an export of a study the only answer."""
    answers = [name for name in table.header if name.startswith("answer_")]
    if given is None and table.first_of(SCORE) is None and len(answers) == 1:
        return answers[0]
    return find(table, given, SCORE, "ratings", "rating")


def refuse_several_questions(table: Table, rating: str) -> None:
    """Refuse the long export of a study while it holds answers to more than one question."""
    if rating != "value" or "question" not in table.header:
        return
    questions = sorted(set(table.texts("question")))
    if len(questions) > 1:
        raise WrongUse(
            f"{table.name} holds answers to several questions; choose one: "
            f"--where question={questions[0]} (or {', '.join(questions[1:])})"
        )


def refuse_second_reads(table: Table, *keys: str) -> None:
    """Refuse rows that repeat the same reader and case (and test), naming both lines."""
    seen: dict[tuple[str, ...], int] = {}
    columns = [table.texts(key) for key in keys]
    for row, read in enumerate(zip(*columns, strict=True)):
        if read in seen:
            what = ", ".join(f"{key} {value}" for key, value in zip(keys, read, strict=True))
            raise WrongUse(
                f"{table.name}, line {table.lines[row]}: {what} is there already, in line "
                f"{table.lines[seen[read]]}; choose one of the readings with --where"
            )
        seen[read] = row


def ratings_of(table: Table, column: str, categories: Sequence[Any] | None) -> list[Any]:
    """Return numbers with NaN, or labels with None where nothing is a rating."""
    texts = [None if text.lower() in MISSING else text for text in table.texts(column)]
    labelled = categories is not None and any(isinstance(c, str) for c in categories)
    if labelled or not all(text is None or _is_number(text) for text in texts):
        return list(texts)
    return [float("nan") if text is None else float(text) for text in texts]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def scale(texts: Sequence[str]) -> list[Any] | None:
    """Return the declared categories, as numbers if all are; None if none are declared."""
    if not texts:
        return None
    if all(_is_number(text) for text in texts):
        return [int(text) if text.lstrip("-").isdecimal() else float(text) for text in texts]
    return list(texts)
