"""Facts of protocol and data that answer items of the reporting checklists.

Each function returns a sentence or two, or nothing where the study does not know.
"""

from __future__ import annotations

from collections import Counter

from readerstudy.analysis.document import EXPLORATORY, PLANNED, Section
from readerstudy.analysis.endpoints.words import listed, many
from readerstudy.analysis.facts import QuestionFacts
from readerstudy.analysis.writing.grid import numbered
from readerstudy.analysis.writing.methods import Source
from readerstudy.analysis.writing.papers import day
from readerstudy.studies.analysis_plan import MISSING, NOT_EVALUABLE, READERS, PlannedAnalysis
from readerstudy.studies.reading_design import PLANS, SCHEDULES

ACCURACY = ("reference", "mrmc-difference", "auc", "turing")
AGREEMENT = ("agreement", "score")
BLIND = (
    "Neither origin nor reference standard nor answers of others; images were shown in one "
    "display form without names, dates or codes of the source."
)


def _plan(source: Source, *endpoints: str) -> list[PlannedAnalysis]:
    plan = source.data.protocol.plan
    return [entry for entry in plan if not endpoints or entry.endpoint in endpoints]


def _titles(entries: list[PlannedAnalysis]) -> str:
    return listed([entry.title for entry in entries])


def _sections(source: Source, *endpoints: str) -> list[Section]:
    codes = {entry.code for entry in _plan(source, *endpoints)}
    return [one for one in source.document.sections if one.code in codes]


def _labels(source: Source, *endpoints: str) -> str:
    wanted = {section.code for section in _sections(source, *endpoints)}
    found = [one.label for one in numbered(source.document) if one.section.code in wanted]
    return listed(found)


def _words(source: Source, name: str, known: dict[str, str]) -> str:
    """Return how entries of the plan handle something, each way once with its endpoints."""
    ways = Counter(getattr(entry, name) for entry in _plan(source))
    if len(ways) == 1:
        return f"{known[next(iter(ways))]} (all endpoints; Methods, Statistical analysis)."
    return " ".join(
        f"{known[way]}: "
        + listed([entry.title for entry in _plan(source) if getattr(entry, name) == way])
        + "."
        for way in ways
    )


def accuracy_named(source: Source) -> str:
    """Title and endpoints."""
    entries = _plan(source, *ACCURACY)
    return f"Endpoints of accuracy: {_titles(entries)}. Title: to be written." if entries else ""


def agreement_named(source: Source) -> str:
    """Title and endpoints of agreement."""
    entries = _plan(source, *AGREEMENT)
    return f"Endpoints of agreement: {_titles(entries)}. Title: to be written." if entries else ""


def objectives(source: Source) -> str:
    """Primary endpoints with margins."""
    primary = [entry for entry in _plan(source) if entry.primary]
    if not primary:
        return ""
    named = [
        entry.title if entry.margin is None else f"{entry.title} (margin {entry.margin:g})"
        for entry in primary
    ]
    return f"Primary: {listed(named)}; null hypotheses stand with each test in Results."


def planning(source: Source) -> str:
    """Whether planned before reading."""
    locked = source.papers.dates.get("locked")
    if not locked:
        return ""
    return (
        f"The reading was planned before it began: protocol locked on {day(locked)}. Whether the "
        "images were acquired before is to be written by the authors."
    )


def index_test(source: Source) -> str:
    """What readers were asked."""
    asked = listed([f"“{one.text}”" for one in source.data.protocol.questions])
    return f"Reading of the images by {_readers(source)}: {asked} (Methods, Reading)."


def _readers(source: Source) -> str:
    return many(len(source.data.readers), "reader")


def _judged(source: Source) -> list[QuestionFacts]:
    return [one for one in source.data.protocol.questions if one.truth]


def reference_standard(source: Source) -> str:
    """What the reference standard of each question is."""
    told = [f"“{one.text}”: {_standard(one)}" for one in _judged(source)]
    more = [*told, *source.papers.references]
    return f"{'; '.join(more)}." if more else ""


def _standard(question: QuestionFacts) -> str:
    if question.truth.get("source") == "origin":
        return "how the image was made, on record since its import or generation"
    endpoint = question.truth.get("endpoint", "")
    return f"the value recorded under “{endpoint}”" if endpoint else "stated in the protocol"


def reference_levels(source: Source) -> str:
    """How values of the reference standard map to answers."""
    told = []
    for question in _judged(source):
        values = question.truth.get("values")
        if isinstance(values, dict):
            pairs = listed(
                [f"{old} → {question.label_of(str(new))}" for old, new in values.items()]
            )
            told.append(f"“{question.text}”: {pairs}")
    return f"{'; '.join(told)} (protocol)." if told else ""


def cutoffs(source: Source) -> str:
    """Cut-offs of the plan."""
    told = [
        f"{entry.title}: {listed([f'{cut:g}' for cut in entry.cutoffs])}"
        for entry in _plan(source)
        if entry.cutoffs
    ]
    if told:
        return f"Fixed in the plan: {'; '.join(told)}."
    return "No cut-off was applied to a score: answers count as given; curves use every cut-off."


def readers_knew(source: Source) -> str:
    """The blind."""
    return BLIND if source.was_read_here else ""


def analysis(source: Source) -> str:
    """Where the methods stand."""
    return "Methods, Statistical analysis; every table names its method." if _plan(source) else ""


def uncertainty(source: Source) -> str:
    """Intervals, tests and adjustment."""
    entries = _plan(source)
    if not entries:
        return ""
    levels = listed(sorted({f"{100 * (1 - entry.alpha):g} %" for entry in entries}))
    families = sorted({entry.family for entry in entries if entry.adjustment})
    adjusted = f"adjusted within {listed(families)}" if families else "no adjustment was planned"
    return f"Intervals of {levels}; every test with null hypothesis and assumptions; {adjusted}."


def not_evaluable(source: Source) -> str:
    """Handling of not evaluable answers."""
    return _words(source, "not_evaluable", NOT_EVALUABLE) if _plan(source) else ""


def missing(source: Source) -> str:
    """Handling of missing reads, with their number."""
    if not _plan(source):
        return ""
    lost = f"{source.data.missing:,} of the planned readings are missing (Flow of the readings)."
    return f"{_words(source, 'missing', MISSING)} {lost}"


def variability(source: Source) -> str:
    """Agreement, repeats and subgroups."""
    agreement = _plan(source, "agreement")
    repeats = source.design.repeats
    told = [f"Between readers: {_titles(agreement)}." if agreement else ""]
    told.append(f"Within readers: {many(repeats, 'hidden repeat')} a period." if repeats else "")
    subgroups = sorted({name for entry in _plan(source) for name in entry.subgroups})
    told.append(f"Planned subgroups: {listed(subgroups)}." if subgroups else "")
    later = [one.title for one in source.document.sections if one.tag == EXPLORATORY]
    told.append(f"Exploratory: {listed(later)}." if later else "")
    return " ".join(part for part in told if part)


def intended_size(source: Source) -> str:
    """What was planned; the reason for it is the authors'."""
    planned = sum(reader.planned for reader in source.data.readers) + source.data.withdrawn
    if not planned or not source.was_read_here:
        return ""
    repeats = source.design.repeats
    again = f", {many(repeats, 'repeat')} a reader and period" if repeats else ""
    return (
        f"Planned: {_readers(source)}, {many(len(source.data.items), 'case')}{again}, "
        f"{many(planned, 'reading')}. How the size was found is to be written by the authors."
    )


def actual_size(source: Source) -> str:
    """What came of it."""
    data = source.data
    who = len({read.reader for read in data.reads})
    what = len({read.item for read in data.reads})
    again = len(data.reads) - len(data.first_reads)
    return (
        f"{many(who, 'reader')}, {many(what, 'case')}, {many(len(data.first_reads), 'reading')} "
        f"and {many(again, 'repeated reading')}."
    )


def strata(source: Source) -> str:
    """Strata of the cases."""
    found = Counter(item.stratum for item in source.data.items.values() if item.stratum)
    parts = listed([f"{name}: {number:,}" for name, number in sorted(found.items())])
    return f"Strata of the cases: {parts}." if parts else ""


def cross_table(source: Source) -> str:
    """Where the cross table stands."""
    labels = _labels(source, "turing", "reference")
    return f"{labels}." if labels else ""


def estimates(source: Source) -> str:
    """Where the planned estimates stand."""
    labels = _labels(source)
    return f"{labels}; each with interval, n and method." if labels else ""


def agreement_estimates(source: Source) -> str:
    """Where the estimates of agreement stand."""
    labels = _labels(source, *AGREEMENT)
    return f"{labels}; each with interval, n and method." if labels else ""


def harm(source: Source) -> str:
    """Readings of stored images harm nobody."""
    if not source.was_read_here:
        return ""
    return "Reading of stored images; no examination was made for the study."


def protocol(source: Source) -> str:
    """Hash and files of the protocol."""
    known = source.data.protocol
    if not known.hash:
        return ""
    return (
        f"Protocol version {known.version}, SHA-256 {known.hash}; the file is in the archive of "
        "this report. Where it is published is to be written by the authors."
    )


def subjects(source: Source) -> str:
    """Cases and patients."""
    items = source.data.items.values()
    people = len({item.subject for item in items})
    return f"{many(len(items), 'case')} of {many(people, 'patient')} (Methods, Cases)."


def rater_population(source: Source) -> str:
    """Fixed or random readers."""
    return _words(source, "readers", READERS) if _plan(source) else ""


def process(source: Source) -> str:
    """Design of the reading."""
    if not source.was_read_here:
        return ""
    design = source.design
    gap = f" Washout: {design.washout_days} days." if design.schedule == "crossover" else ""
    return f"{PLANS[design.plan]}. {SCHEDULES[design.schedule]}.{gap} {BLIND}"


def independence(source: Source) -> str:
    """Whether readers read alone."""
    if not source.was_read_here:
        return ""
    return "Readers read alone, in orders of their own, without the answers of others."


def display(source: Source) -> str:
    """How images were prepared for display."""
    if not source.was_read_here:
        return ""
    return "One orientation, grid and grey scale for all cases, real and synthetic; see protocol."


def selection(source: Source) -> str:
    """Withdrawn cases."""
    gone = source.data.withdrawn
    return f"{gone:,} readings of withdrawn cases left out." if gone else "No case was withdrawn."


def deidentification(source: Source) -> str:
    """De-identification at import."""
    if not source.was_read_here:
        return ""
    return "Removed at import: names, dates, free text of headers; cases carry pseudonyms."


def partitions(source: Source) -> str:
    """Training subjects of generators."""
    if not _synthetic(source):
        return ""
    allowed = source.design.training_subjects
    return (
        "Patients whose images trained a generator could be shown, as the protocol states."
        if allowed
        else "Patients whose images trained a generator were not shown; the system refuses them."
    )


def disjoint(source: Source) -> str:
    """Level of the separation."""
    if not _synthetic(source) or source.design.training_subjects:
        return ""
    return "Patient."


def _synthetic(source: Source) -> bool:
    return source.was_read_here and bool(_generators(source))


def _generators(source: Source) -> list[str]:
    items = source.data.items.values()
    return sorted({name for item in items for name in item.generators if name})


def generators(source: Source) -> str:
    """Names of the generators."""
    found = _generators(source)
    return f"Generators: {listed(found)}; their description: the authors." if found else ""


def software(source: Source) -> str:
    """Versions."""
    used = source.document.provenance.get("software") or {}
    told = ", ".join(f"{name} {number}" for name, number in used.items())
    return f"Analysis: {told}; all packages in software.txt." if told else ""


def robustness(source: Source) -> str:
    """Subgroups of the plan."""
    subgroups = sorted({name for entry in _plan(source) for name in entry.subgroups})
    return f"Planned subgroups: {listed(subgroups)}." if subgroups else ""


def failures(source: Source) -> str:
    """Where wrong answers can be looked at."""
    planned = [one for one in source.document.sections if one.tag == PLANNED]
    return "reads_long.csv and items.csv hold every wrong answer with its case." if planned else ""


def availability(source: Source) -> str:
    """The archive and the program."""
    used = source.document.provenance.get("software") or {}
    name = f"readerstudy {used['readerstudy']}" if "readerstudy" in used else "readerstudy"
    return f"{name}; answers, tables and scripts are in the archive. Images: the authors."
