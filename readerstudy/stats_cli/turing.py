"""``readerstudy stats turing``: can readers tell synthetic from real."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from readerstudy import stats
from readerstudy.stats_cli.errors import WrongUse
from readerstudy.stats_cli.matrices import refuse_several_questions
from readerstudy.stats_cli.options import (
    CASE,
    NO_CASES,
    READER,
    TRUTH,
    about,
    add_analysis,
    add_column,
    find,
    find_optional,
    heading,
    open_table,
    refuse_repeated_cases,
)
from readerstudy.stats_cli.report import Column, Report, Row, Section, column
from readerstudy.stats_cli.tables import Label, Table, in_order

NAME = "turing"
HELP = "visual Turing test: accuracy against chance, d', equivalence within a margin"
ANSWER = ("answer_origin", "answer", "call", "response")
QUESTION = "origin"
INSTEAD = (
    "Name the readers with --reader; where one reader saw a case twice, choose one of the readings "
    "with --where"
)
NO_PROOF = (
    "A p-value above 0.05 does not show that readers guess. To test that accuracy lies within a "
    "margin of chance, fix the margin beforehand and pass it: --margin 0.1"
)
POOLED = (
    "All readers: these readers and all such cases, with the case as the cluster. d' of pooled "
    "answers would mix readers with different criteria and is not given."
)


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_analysis(parser, missing="omit")
    add_column(parser, "truth", "the truth", TRUTH)
    add_column(parser, "answer", "the answers, in the words of the truth", ANSWER)
    add_column(parser, "case", "the cases", CASE)
    add_column(parser, "reader", "the readers", READER)
    add_column(parser, "cluster", "what reads are grouped by (default: the case)")
    parser.add_argument(
        "--signal",
        metavar="LABEL",
        help="label of the truth that counts as the signal (default: synthetic, or 1)",
    )
    parser.add_argument("--chance", type=float, default=0.5, help="accuracy of guessing")
    parser.add_argument(
        "--margin", type=float, help="half-width around chance that counts as guessing, 0 to 1"
    )


@dataclass(frozen=True)
class Reads:
    """Readings with an answer; rows without one are left out and counted."""

    truth: tuple[bool, ...]
    answer: tuple[bool, ...]
    case: tuple[Label, ...] | None
    cluster: tuple[Label, ...] | None
    n_dropped: int

    @property
    def correct(self) -> list[bool]:
        """Which answers are right."""
        return [t == a for t, a in zip(self.truth, self.answer, strict=True)]

    def count(self, truth: bool, answer: bool) -> int:
        """Return one of the four cells."""
        pairs = zip(self.truth, self.answer, strict=True)
        return sum(pair == (truth, answer) for pair in pairs)


@dataclass(frozen=True)
class _Input:
    """Columns of the file, and which label is the signal."""

    table: Table
    truth: str
    answer: str
    case: str | None
    reader: str | None
    cluster: str | None
    signal: str
    noise: str


def run(options: argparse.Namespace) -> Report:
    """Compute each reader's accuracy, d' and equivalence, and the accuracy of all."""
    given = _input(options)
    rows_of = _by_reader(given)
    for rows in rows_of.values():
        own = given.table.keep(rows)
        ids = own.labels(given.case) if given.case else None
        refuse_repeated_cases(own, ids, options, INSTEAD)
    readers = {name: _reads(given, rows, options) for name, rows in rows_of.items()}
    everybody = _reads(given, range(len(given.table.rows)), options)
    sections = [_accuracy(given, readers, everybody, options), _answers(given, readers)]
    if options.margin is not None:
        sections.append(_equivalence(readers, everybody, options))
    used = {
        "truth": given.truth,
        "answer": given.answer,
        "case": given.case,
        "reader": given.reader,
        "cluster": given.cluster,
        "signal": given.signal,
    }
    return Report(NAME, tuple(sections), about(options, given.table, **used))


def _input(options: argparse.Namespace) -> _Input:
    table = open_table(options)
    truth = find(table, options.truth, TRUTH, "truth", "truth")
    table, answer = _answer(table, options.answer)
    case = find_optional(table, options.case, CASE)
    cluster = table.require(options.cluster) if options.cluster else case
    reader = find_optional(table, options.reader, READER)
    signal, noise = _labels(table, truth, options.signal)
    return _Input(table, truth, answer, case, reader, cluster, signal, noise)


def _answer(table: Table, given: str | None) -> tuple[Table, str]:
    """Return the column of the answers; of a long export the rows of its origin question."""
    if given or table.first_of(ANSWER) or not {"question", "value"} <= set(table.header):
        return table, find(table, given, ANSWER, "answers", "answer")
    if QUESTION in table.texts("question"):
        table = table.where([f"question={QUESTION}"])
    refuse_several_questions(table, "value")
    return table, "value"


def _labels(table: Table, truth: str, signal: str | None) -> tuple[str, str]:
    found = sorted(set(table.texts(truth)))
    if "" in found or len(found) != 2:
        raise WrongUse(
            f"{table.name}, column {truth}: the truth must be one of two labels in every row; "
            f"there are {', '.join(map(repr, found))}"
        )
    chosen = signal or next((x for x in ("synthetic", "1") if x in found), None)
    if chosen not in found:
        raise WrongUse(
            f"{table.name}, column {truth}: say with --signal which of {found[0]!r} and "
            f"{found[1]!r} readers were to detect"
        )
    return chosen, found[1 - found.index(chosen)]


def _by_reader(given: _Input) -> dict[Label, list[int]]:
    names: Sequence[Label] = ["all"] * len(given.table.rows)
    if given.reader:
        names = given.table.labels(given.reader)
    rows: dict[Label, list[int]] = {}
    for row, name in enumerate(names):
        rows.setdefault(name, []).append(row)
    return {name: rows[name] for name in in_order(rows)}


def _reads(given: _Input, rows: Sequence[int], options: argparse.Namespace) -> Reads:
    table = given.table.keep(rows)
    answers = table.texts(given.answer)
    gone = [table.is_missing(i, given.answer, a, options.missing) for i, a in enumerate(answers)]
    for row, (answer, empty) in enumerate(zip(answers, gone, strict=True)):
        if not empty and answer not in (given.signal, given.noise):
            raise table.error(
                row,
                given.answer,
                f"{answer!r} is neither {given.signal!r} nor {given.noise!r}; for graded answers "
                "use readerstudy stats roc or mrmc",
            )
    used = table.keep([i for i, empty in enumerate(gone) if not empty])
    return Reads(
        tuple(text == given.signal for text in used.texts(given.truth)),
        tuple(text == given.signal for text in used.texts(given.answer)),
        tuple(used.labels(given.case)) if given.case else None,
        tuple(used.labels(given.cluster)) if given.cluster else None,
        sum(gone),
    )


def _accuracy(
    given: _Input, readers: dict[Label, Reads], everybody: Reads, options: argparse.Namespace
) -> Section:
    rows = [_reader_row(name, reads, options) for name, reads in readers.items()]
    if len(readers) > 1:
        rows.append(_overall_row(everybody, options))
    chance = f"p against {100 * options.chance:g} %"
    columns: tuple[Column, ...] = (
        column("reader", "text", "reader"),
        column("n", "count", "n"),
        column("correct", "count", "correct"),
        column("accuracy, %", "percent", "accuracy"),
        column(heading(options.level), "percent", "low", "high"),
        column(chance, "p", "pvalue"),
        column("d′", "kappa", "dprime", of="detection"),
        column(heading(options.level), "kappa", "dprime_low", "dprime_high", of="detection"),
        column("criterion", "kappa", "criterion", of="detection"),
    )
    return Section(
        "readers", "Accuracy and detection", columns, tuple(rows), _notes(given, options)
    )


def _notes(given: _Input, options: argparse.Namespace) -> tuple[str, ...]:
    notes = [
        f"The signal is {given.signal!r}: a criterion above 0 means that readers say it too rarely."
    ]
    if given.reader:
        notes.append(POOLED)
    if given.case is None:
        notes.append(NO_CASES)
    if options.margin is None:
        notes.append(NO_PROOF)
    notes += _subject_note(given)
    return tuple(notes)


def _subject_note(given: _Input) -> list[str]:
    """Tell where several cases are of one person, which the case as cluster does not allow for."""
    if given.case is None or given.cluster != given.case or "subject" not in given.table.header:
        return []
    cases: dict[str, set[str]] = {}
    columns = zip(given.table.texts("subject"), given.table.texts(given.case), strict=True)
    for subject, case in columns:
        cases.setdefault(subject, set()).add(case)
    several = sum(len(c) > 1 for subject, c in cases.items() if subject)
    if not several or given.case == "subject":
        return []
    return [
        f"{several} subjects have more than one case, and cases of one subject are not "
        "independent: compare with --cluster subject."
    ]


def _reader_row(name: Label, reads: Reads, options: argparse.Namespace) -> Row:
    k, n = sum(reads.correct), len(reads.truth)
    shared: dict[str, Any] = {
        "level": options.level,
        "case_ids": reads.case,
        "assume_independent": options.assume_independent,
    }
    accuracy = stats.proportion(k, n, **shared)
    test = stats.binomial_against(k, n, p0=options.chance, **shared)
    found = stats.dprime(
        reads.count(True, True),
        reads.count(True, False),
        reads.count(False, True),
        reads.count(False, False),
        level=options.level,
    )
    values = {
        "reader": name,
        "n": n,
        "correct": k,
        "accuracy": accuracy.value,
        "low": accuracy.low,
        "high": accuracy.high,
        "pvalue": test.p_two_sided,
        "dprime": found.dprime,
        "dprime_low": found.low,
        "dprime_high": found.high,
        "criterion": found.criterion,
        "n_dropped": reads.n_dropped,
    }
    return Row(values, {"accuracy": accuracy, "against_chance": test, "detection": found})


def _overall_row(reads: Reads, options: argparse.Namespace) -> Row:
    found = _overall(reads, options)
    values = {
        "reader": "all readers",
        "n": found.n,
        "correct": sum(reads.correct),
        "accuracy": found.value,
        "low": found.low,
        "high": found.high,
        "pvalue": found.p_two_sided,
        "n_dropped": reads.n_dropped,
    }
    return Row(values, {"all_readers": found})


def _overall(reads: Reads, options: argparse.Namespace) -> Any:
    if reads.cluster is None:
        raise WrongUse("several readers, but no column names the cases: name it with --case")
    return stats.clustered_against(
        [float(c) for c in reads.correct],
        list(reads.cluster),
        p0=options.chance,
        margin=options.margin,
        level=options.level,
    )


def _answers(given: _Input, readers: dict[Label, Reads]) -> Section:
    cells = {
        f"{t} called {a}": (t == given.signal, a == given.signal)
        for t in (given.noise, given.signal)
        for a in (given.noise, given.signal)
    }
    rows = []
    for name, reads in readers.items():
        counts = {what: reads.count(*cell) for what, cell in cells.items()}
        rows.append(Row({"reader": name, **counts, "no answer": reads.n_dropped}))
    return Section(
        "answers",
        "Answers",
        (
            column("reader", "text", "reader"),
            *(column(what, "count", what) for what in cells),
            column("no answer", "count", "no answer"),
        ),
        tuple(rows),
    )


def _equivalence(
    readers: dict[Label, Reads], everybody: Reads, options: argparse.Namespace
) -> Section:
    rows = []
    for name, reads in readers.items():
        found = stats.equivalence_to_chance(
            sum(reads.correct),
            len(reads.truth),
            margin=options.margin,
            p0=options.chance,
            case_ids=reads.case,
            assume_independent=options.assume_independent,
        )
        values = {
            "reader": name,
            "accuracy": found.value,
            "low": found.low,
            "high": found.high,
            "pvalue": found.p_exact,
            "equivalent": found.equivalent,
            "verdict": _verdict(found.equivalent),
        }
        rows.append(Row(values, {"equivalence": found}))
    if len(readers) > 1:
        rows.append(_overall_equivalence(everybody, options))
    low, high = (100 * (options.chance + sign * options.margin) for sign in (-1, 1))
    return Section(
        "equivalence",
        f"Equivalence to guessing: accuracy from {low:g} to {high:g} %",
        (
            column("reader", "text", "reader"),
            column("accuracy, %", "percent", "accuracy"),
            column("90 % interval", "percent", "low", "high"),
            column("p", "p", "pvalue"),
            column("verdict", "text", "verdict"),
        ),
        tuple(rows),
    )


def _overall_equivalence(everybody: Reads, options: argparse.Namespace) -> Row:
    options = argparse.Namespace(**{**vars(options), "level": 0.9})
    found = _overall(everybody, options)
    values = {
        "reader": "all readers",
        "accuracy": found.value,
        "low": found.low,
        "high": found.high,
        "pvalue": found.p_equivalence,
        "equivalent": found.equivalent,
        "verdict": _verdict(found.equivalent),
    }
    return Row(values, {"all_readers": found})


def _verdict(equivalent: bool | None) -> str:
    return "within the margin" if equivalent else "not shown to be within the margin"
