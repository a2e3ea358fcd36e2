"""STARD 2015, GRRAS and CLAIM 2024, filled from protocol and data as far as these know.

What is asked is said in our own words; the published lists are cited. An item that only the
authors can answer says so. Which facts answer an item is written in `checklist_facts`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from readerstudy.analysis.document import Column, Row, Table
from readerstudy.analysis.writing import checklist_facts as facts
from readerstudy.analysis.writing.methods import Source

AUTHORS = "to be written by the authors"
Fact = Callable[[Source], str] | str
FLOW = "Flow of the readings, figure and table. Flow of patients before it: the authors."
RATERS = "Methods, Readers: number, years of experience, subspecialties; readers.csv by code."
DETAILS = "All answers in long and wide form with codebook, all tables and scripts: the archive."


@dataclass(frozen=True)
class Item:
    """One item: its number and part, what is asked, where or how it is answered."""

    number: str
    part: str
    asks: str
    fact: Fact | None = None

    def answer(self, source: Source) -> str:
        told = self.fact(source) if callable(self.fact) else self.fact
        return told or AUTHORS


@dataclass(frozen=True)
class Checklist:
    """A published list."""

    code: str
    name: str
    source: str
    items: tuple[Item, ...]


def _items(part: str, *rows: tuple[str, str, Fact | None]) -> tuple[Item, ...]:
    return tuple(Item(number, part, asks, fact) for number, asks, fact in rows)


STARD = Checklist(
    "stard",
    "STARD 2015",
    "Bossuyt PM, Reitsma JB, Bruns DE, et al. STARD 2015: an updated list of essential items for "
    "reporting diagnostic accuracy studies. BMJ 2015;351:h5527.",
    (
        *_items(
            "Title, abstract, introduction",
            ("1", "Title or abstract name it a study of diagnostic accuracy", facts.accuracy_named),
            ("2", "Structured abstract", None),
            ("3", "Background, intended use and clinical role of the index test", None),
            ("4", "Objectives and hypotheses", facts.objectives),
        ),
        *_items(
            "Methods: design and participants",
            ("5", "Data collected before or after the tests were planned", facts.planning),
            ("6", "Who was eligible", None),
            ("7", "How eligible participants were found", None),
            ("8", "Where and when they were found", None),
            ("9", "Consecutive, random or convenience series", None),
        ),
        *_items(
            "Methods: tests",
            ("10a", "Index test, so that it can be repeated", facts.index_test),
            ("10b", "Reference standard, so that it can be repeated", facts.reference_standard),
            ("11", "Why this reference standard", None),
            ("12a", "Cut-offs of the index test, and whether fixed beforehand", facts.cutoffs),
            ("12b", "Cut-offs of the reference standard", facts.reference_levels),
            ("13a", "What readers of the index test knew", facts.readers_knew),
            ("13b", "What assessors of the reference standard knew", None),
        ),
        *_items(
            "Methods: analysis",
            ("14", "How accuracy was estimated or compared", facts.analysis),
            ("15", "Handling of results that could not be judged", facts.not_evaluable),
            ("16", "Handling of missing data", facts.missing),
            ("17", "Analyses of variability, planned or exploratory", facts.variability),
            ("18", "Intended sample size and how it was found", facts.intended_size),
        ),
        *_items(
            "Results",
            ("19", "Flow of participants, with a diagram", FLOW),
            ("20", "Demographic and clinical baseline", None),
            ("21a", "Severity among those with the condition", facts.strata),
            ("21b", "Other diagnoses among those without it", None),
            ("22", "Time and treatment between index test and reference standard", None),
            ("23", "Cross table of index test by reference standard", facts.cross_table),
            ("24", "Accuracy with its precision", facts.estimates),
            ("25", "Harm from the tests", facts.harm),
        ),
        *_items(
            "Discussion and other",
            ("26", "Limitations", None),
            ("27", "Implications, intended use and role", None),
            ("28", "Registration number and registry", None),
            ("29", "Where the protocol can be read", facts.protocol),
            ("30", "Funding and role of funders", None),
        ),
    ),
)
GRRAS = Checklist(
    "grras",
    "GRRAS",
    "Kottner J, Audigé L, Brorson S, et al. Guidelines for Reporting Reliability and Agreement "
    "Studies (GRRAS) were proposed. J Clin Epidemiol 2011;64:96–106.",
    (
        *_items(
            "Title, abstract, introduction",
            ("1", "Title or abstract say that agreement was studied", facts.agreement_named),
            ("2", "The measurement or diagnostic device", facts.index_test),
            ("3", "Population of subjects", facts.subjects),
            ("4", "Population of raters", facts.rater_population),
            ("5", "What is known, and why the study", None),
        ),
        *_items(
            "Methods",
            ("6", "How size was chosen; raters, subjects, replicates", facts.intended_size),
            ("7", "How raters and subjects were sampled", None),
            ("8", "Rating process: interval, clinical information, blinding", facts.process),
            ("9", "Whether ratings were independent", facts.independence),
            ("10", "Statistical analysis", facts.analysis),
        ),
        *_items(
            "Results and discussion",
            ("11", "Actual raters, subjects and replicates", facts.actual_size),
            ("12", "Raters’ training and experience; subjects", RATERS),
            ("13", "Estimates with their uncertainty", facts.agreement_estimates),
            ("14", "Practical relevance", None),
            ("15", "Detailed results, such as online", DETAILS),
        ),
    ),
)
CLAIM = Checklist(
    "claim",
    "CLAIM 2024",
    "Tejani AS, Klontzas ME, Gatti AA, et al. Checklist for Artificial Intelligence in Medical "
    "Imaging (CLAIM): 2024 update. Radiol Artif Intell 2024;6:e240300.",
    (
        *_items(
            "Title, abstract, introduction",
            ("1", "Named a study of AI, with the kind of technique", None),
            ("2", "Structured summary", None),
            ("3", "Background, intended use and clinical role", None),
            ("4", "Aims, objectives and hypotheses", facts.objectives),
        ),
        *_items(
            "Methods: design and data",
            ("5", "Prospective or retrospective", facts.planning),
            ("6", "Goal of the study", facts.objectives),
            ("7", "Sources of the data", None),
            ("8", "Inclusion and exclusion", None),
            ("9", "Preparation of the data", facts.display),
            ("10", "Selection of parts of the data", facts.selection),
            ("11", "De-identification", facts.deidentification),
            ("12", "Missing data", facts.missing),
            ("13", "Acquisition of the images", None),
        ),
        *_items(
            "Methods: reference standard",
            ("14", "How it was obtained", facts.reference_standard),
            ("15", "Why it was chosen", None),
            ("16", "Who annotated", None),
            ("17", "Annotation of the test set", facts.reference_levels),
            ("18", "Variability within and between raters", facts.variability),
        ),
        *_items(
            "Methods: partitions",
            ("19", "How data were divided", facts.partitions),
            ("20", "Level at which parts are disjoint", facts.disjoint),
            ("21", "Intended size of the test set", facts.intended_size),
        ),
        *_items(
            "Methods: model and training",
            ("22", "The model in detail", facts.generators),
            ("23", "Libraries and packages", facts.software),
            ("24", "Initial parameters", None),
            ("25", "Training in detail", None),
            ("26", "How the final model was chosen", None),
            ("27", "Ensembles", None),
        ),
        *_items(
            "Methods: evaluation",
            ("28", "Metrics", facts.analysis),
            ("29", "Significance and uncertainty", facts.uncertainty),
            ("30", "Robustness or sensitivity", facts.robustness),
            ("31", "Explanation of the model’s output", None),
            ("32", "Evaluation on internal data", None),
            ("33", "Testing on external data", None),
            ("34", "Registration of a trial", None),
        ),
        *_items(
            "Results",
            ("35", "Numbers included and left out, with a diagram", FLOW),
            ("36", "Demographic and clinical description by part", facts.subjects),
            ("37", "Performance with uncertainty", facts.estimates),
            ("38", "Diagnostic performance and its precision", facts.estimates),
            ("39", "Analysis of failures", facts.failures),
        ),
        *_items(
            "Discussion and other",
            ("40", "Limitations", None),
            ("41", "Implications and intended use", None),
            ("42", "Where protocol and details can be read", facts.protocol),
            ("43", "Availability of software, model and data", facts.availability),
            ("44", "Funding and role of funders", None),
        ),
    ),
)
CHECKLISTS = (STARD, GRRAS, CLAIM)
COLUMNS = (
    Column("item", "Item", "text"),
    Column("part", "Part", "text"),
    Column("asks", "What is asked", "text"),
    Column("answer", "Answer, or where it stands", "text"),
)


def filled(checklist: Checklist, source: Source) -> Table:
    """Return a list with its answers as a table."""
    begins = {one.part: one.number for one in reversed(checklist.items)}
    rows = tuple(
        Row(
            {
                "item": one.number,
                "part": one.part if begins[one.part] == one.number else "",
                "asks": one.asks,
                "answer": one.answer(source),
            }
        )
        for one in checklist.items
    )
    answered = sum(row.cells["answer"] != AUTHORS for row in rows)
    return Table(
        code=checklist.code,
        title=checklist.name,
        columns=COLUMNS,
        rows=rows,
        method=f"Items after {checklist.source}",
        n=f"{answered} of {len(rows)} items filled from protocol and data; "
        f"{len(rows) - answered} {AUTHORS}",
    )
