"""A document with everything that a document can hold, written by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from readerstudy.analysis.document import (
    DESCRIPTIVE,
    EXPLORATORY,
    PLANNED,
    Axis,
    Column,
    Document,
    Figure,
    Number,
    Passage,
    Row,
    Section,
    Table,
    Test,
    count,
    undefined,
)
from readerstudy.analysis.facts import Dataset
from readerstudy.analysis.writing.papers import Departure, Papers
from readerstudy.stats.figure_data import ForestRow, ReaderCurve
from readerstudy.stats.figures import forest, roc
from readerstudy.studies.templates.base import turing_analyses
from tests.analysis.making import dataset, item, read

FORMULA = "=HYPERLINK(1)"


def turing_table() -> Table:
    rows = [
        ("R1", 34, 16, 21, 29, 0.63, 0.532, 0.718, 0.012, 0.66),
        ("R2", 31, 19, 24, 26, 0.57, 0.472, 0.663, 0.193, 0.35),
    ]
    return Table(
        code="readers",
        title="Real or synthetic, per reader",
        columns=(
            Column("reader", "Reader", "text"),
            Column("rr", "as real", group="Real"),
            Column("rs", "as synthetic", group="Real"),
            Column("sr", "as real", group="Synthetic"),
            Column("ss", "as synthetic", group="Synthetic"),
            Column("correct", "Correct, %"),
            Column("limits", "95 % interval", "interval", "correct"),
            Column("plot", "Correct", "plot", "correct"),
            Column("p", "p against 50 %"),
            Column("dprime", "d′"),
        ),
        rows=(
            *(
                Row(
                    {
                        "reader": name,
                        "rr": count(a, reader=name),
                        "rs": count(b),
                        "sr": count(c),
                        "ss": count(d),
                        "correct": Number(value, "percent", low, high),
                        "p": Number(p, "p"),
                        "dprime": Number(dprime, "kappa"),
                    }
                )
                for name, a, b, c, d, value, low, high, p, dprime in rows
            ),
            Row(
                {
                    "reader": FORMULA,
                    **{code: count(0) for code in ("rr", "rs", "sr", "ss")},
                    "correct": undefined("R3 has not answered", "percent"),
                    "p": undefined("R3 has not answered", "p"),
                    "dprime": undefined("R3 has not answered", "kappa"),
                }
            ),
            Row(
                {
                    "reader": "All readers",
                    "rr": count(65),
                    "rs": count(35),
                    "sr": count(45),
                    "ss": count(55),
                    "correct": Number(0.6 + 1e-12 / 3, "percent", 0.536, 0.659),
                    "p": Number(0.0000012, "p"),
                    "dprime": Number(0.49, "kappa"),
                },
                strong=True,
            ),
        ),
        method="Wilson intervals; exact binomial test. All: clustered by case (Rao & Scott 1992).",
        n="200 reads of 100 cases (50 real, 50 synthetic)",
        notes=("Positive class: synthetic; d′ & c with log-linear correction_1.",),
        axis=Axis(0.4, 0.8, 0.5, (0.4, 0.6), "guessing and margin"),
    )


def area_table() -> Table:
    return Table(
        code="areas",
        title="AUC and difference",
        columns=(
            Column("reader", "Reader", "text"),
            Column("standard", "Standard MRI", "estimate"),
            Column("cbv", "With synthetic CBV", "estimate"),
            Column("difference", "With minus without", "estimate"),
            Column("p", "p"),
        ),
        rows=(
            Row(
                {
                    "reader": "R1",
                    "standard": Number(0.635, "area", 0.532, 0.737),
                    "cbv": Number(0.858, "area", 0.791, 0.925),
                    "difference": Number(0.2231, "difference", 0.131, 0.315),
                    "p": Number(0.0002, "p"),
                }
            ),
            Row(
                {
                    "reader": "Mean",
                    "standard": Number(0.687, "area", 0.579, 0.794),
                    "cbv": Number(0.854, "area", 0.797, 0.911),
                    "difference": Number(0.167, "difference", 0.076, 0.259),
                    "p": "not planned",
                },
                strong=True,
            ),
        ),
        method="Obuchowski–Rockette with DeLong covariances, random readers and cases.",
        n="4 readers, 112 cases (62 high grade), 896 reads",
    )


def kappa_table() -> Table:
    readers = ("R1", "R2", "R3")
    return Table(
        code="pairs",
        title="Agreement of pairs",
        columns=(
            Column("reader", "Reader", "text"),
            *(Column(name, name, "estimate") for name in readers[:2]),
        ),
        rows=(
            Row({"reader": "R2", "R1": Number(0.27, "kappa", 0.08, 0.46), "R2": ""}),
            Row(
                {
                    "reader": "R3",
                    "R1": Number(-0.11, "kappa", -0.30, 0.09),
                    "R2": undefined("both gave one answer only", "kappa"),
                }
            ),
        ),
        method="Cohen’s κ with asymptotic 95 % interval.",
        n="100 cases a pair",
        layout="matrix",
    )


def roc_figure() -> Figure:
    specificity = np.array([1, 0.8, 0.5, 0])
    curves = [
        ReaderCurve("R1", "Standard", np.array([0, 0.4, 0.7, 1]), specificity),
        ReaderCurve("R2", "CBV", np.array([0, 0.6, 0.9, 1]), specificity),
    ]
    return Figure(
        code="roc",
        title="ROC curves",
        spec=roc(curves).to_dict(),
        alt="ROC curves of two readers, one in each arm",
        method="Empirical curves; average at equal specificity.",
        n="6 cases",
    )


def forest_figure() -> Figure:
    rows = [ForestRow("R1", 63, 53.2, 71.8), ForestRow("All", 60, 53.6, 65.9, overall=True)]
    chart = forest(rows, reference=50, band=(40, 60), axis="Correct, %")
    spec = chart.to_dict()
    return Figure("forest", "Where it was harder", spec, "Two rows", "Wilson", "200 reads")


def main_test() -> Test:
    return Test(
        code="main",
        what="Share of right calls against 50 %",
        name="Exact binomial test (Clopper and Pearson 1934)",
        unit="reading, clustered by case",
        n="200 reads of 100 cases",
        null="Readers guess: the share of right calls is 50 %",
        assumptions="Cases are independent",
        p=0.0021,
        symbol="z",
        statistic=3.07,
        adjusted_p=0.0042,
        adjustment="holm over 2 tests of the family “Turing”",
        warnings=("one reader has not answered",),
    )


def document(**more: object) -> Document:
    lead = (
        "Readers told real from synthetic in **60.0 % of reads** (95 % interval 53.6 to 65.9). "
        "That is better than guessing (p = 0.002) and was **not shown to be within the planned "
        "margin** of 10 points around 50 % (p = 0.47).",
    )
    sections = (
        Section(
            "turing",
            "Right calls of real and synthetic",
            PLANNED,
            True,
            lead,
            (turing_table(), forest_figure()),
            (main_test(),),
            "Turing",
            "holm",
        ),
        Section(
            "mrmc",
            "Area under the ROC curve: grade",
            PLANNED,
            False,
            ("The mean AUC rose from **0.687** to **0.854**.",),
            (area_table(), roc_figure(), Passage("All **readers** gained.")),
        ),
        Section(
            "agreement",
            "Agreement between readers",
            EXPLORATORY,
            lead=("Readers agreed little: Fleiss κ 0.23.",),
            blocks=(kappa_table(),),
        ),
        Section(
            "survival",
            "Time to an event",
            EXPLORATORY,
            lead=("Time to an event: not computed, because no event was observed.",),
            blocks=(Passage("**Not computed:** no event was observed."),),
        ),
        Section("times", "Reading times", DESCRIPTIVE, lead=("A reading took 23 s.",)),
    )
    provenance = {
        "protocol_hash": "a" * 64,
        "protocol_version": 2,
        "plan_sha256": "b" * 64,
        "data_sha256": "c" * 64,
        "software": {"readerstudy": "0.1.0", "numpy": "2.4.6"},
    }
    facts = ("3 readers, 100 cases, 200 reads, 40 repeats", "Missing 0, late 0")
    return Document("A visual Turing test", lead, facts, sections, provenance)


def data(**more: object) -> Dataset:
    """Reads that go with the document: three readers, one of whom has not answered."""
    items = [item(f"C{n:02}", "real" if n % 2 else "synthetic", stratum="A") for n in range(1, 21)]
    reads = [
        read(reader, one, {"origin": "real" if n % 3 else "synthetic", "confidence": "3"})
        for reader in ("R1", "R2")
        for n, one in enumerate(items[:17])
    ]
    reads.append(read("R1", items[0], {"origin": "real", "confidence": "2"}, repeat=1))
    made = dataset(
        reads,
        items,
        readers=("R1", "R2", "R3"),
        years={"R1": 4, "R2": 11},
        planned=20,
        plan=turing_analyses(0.1),
        hash="a" * 64,
        version=2,
    )
    return replace(made, withdrawn=3, late=2, missing=25, **more)


def papers() -> Papers:
    """Papers of a study with an amendment, a deviation and a draw."""
    return Papers(
        protocol={"instructions": "Say what you see.\n\nNothing else.", "training": ["T1", "T2"]},
        amendments=(
            {
                "version": 2,
                "at_utc": "2026-11-09T08:00:00+00:00",
                "reason": "A case was not fit to be read",
                "changes": [{"what": "Case C21 withdrawn", "old": "in", "new": "out"}],
                "protocol_hash": "d" * 64,
                "protocol": {"version": 2},
            },
        ),
        departures=(
            Departure(
                "2026-11-10T08:00:00", "late answer", "R2", "An answer came late", "power cut"
            ),
            Departure("2026-11-11T00:00:00", "recorded", "", "Another monitor", FORMULA),
        ),
        certificate={
            "algorithm": "readerstudy-3",
            "seed": "0123456789abcdef",
            "created_at": "2026-11-06T09:00:00+00:00",
            "table": [["R1", 1, 1, "C01", "main", 1, 0, [0]]],
            "table_hash": "e" * 64,
            "design_hash": "f" * 64,
            "parts": [],
        },
        dates={"locked": "2026-11-06T09:00:00+00:00", "unblinded": "2026-12-07T08:30:00+00:00"},
        references=("Origin is on record since the import",),
        exploratory=(("Time to an event", "asked by a reviewer"),),
        display="Displays were checked before 4 of 4 sittings.",
    )
