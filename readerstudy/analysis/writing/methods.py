"""The methods text of a study, written from its protocol and plan.

Plain sentences that authors can take into a paper; what the system cannot know is left to them
and named in the checklists.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from readerstudy.analysis.document import Document
from readerstudy.analysis.endpoints.words import listed, many
from readerstudy.analysis.facts import REAL, SYNTHETIC, Dataset, QuestionFacts
from readerstudy.analysis.writing.papers import Papers, day
from readerstudy.analysis.writing.references import name_of, references_of
from readerstudy.studies.analysis_plan import (
    ADJUSTMENTS,
    ENDPOINTS,
    MISSING,
    NOT_EVALUABLE,
    READERS,
    UNITS,
    PlannedAnalysis,
)
from readerstudy.studies.answers import KINDS
from readerstudy.studies.reading_design import (
    COUNTERBALANCES,
    PAIRINGS,
    PLANS,
    SCHEDULES,
    ReadingDesign,
)

Paragraphs = list[str]
ELSEWHERE = (
    "The answers were collected elsewhere and imported; design, order and blinding are to be "
    "described by the authors."
)


@dataclass(frozen=True)
class Source:
    """What a writer draws on."""

    document: Document
    data: Dataset
    papers: Papers

    @property
    def design(self) -> ReadingDesign:
        return self.data.protocol.design

    @property
    def was_read_here(self) -> bool:
        """Were the cases read in this system? Elsewhere it cannot vouch for order and blind."""
        return bool(self.papers.protocol)


def methods_of(source: Source) -> list[tuple[str, Paragraphs]]:
    """Return the headings of a methods part with their paragraphs."""
    return [
        ("Design", [*_design(source), *_allocation(source)]),
        ("Readers", _readers(source)),
        ("Cases", _cases(source)),
        ("Reading", _reading(source)),
        ("Reference standard and blinding", _truth(source)),
        (
            "Statistical analysis",
            [_general(source), *map(_entry(source), source.data.protocol.plan)],
        ),
        ("Software and records", _software(source)),
    ]


def methods_markdown(source: Source) -> str:
    """Return the methods text as Markdown, with the references at its end."""
    parts = [f"# Methods of {source.data.protocol.name}\n"]
    for heading, paragraphs in methods_of(source):
        parts += [f"## {heading}\n", *(f"{paragraph}\n" for paragraph in paragraphs)]
    numbered = [f"{n}. {text}" for n, text in enumerate(references(source), start=1)]
    return "\n".join([*parts, "## References\n", *numbered, ""])


def references(source: Source) -> list[str]:
    """Return the references of every planned method."""
    plan = source.data.protocol.plan
    named = [method for entry in plan for method in entry.methods]
    return references_of(named, [entry.adjustment for entry in plan])


def _design(source: Source) -> Paragraphs:
    design, protocol = source.design, source.data.protocol
    if not source.was_read_here:
        return [ELSEWHERE]
    arms = [name for _, name in protocol.arms]
    told = [
        f"{PLANS[design.plan]}. {SCHEDULES[design.schedule]}. {PAIRINGS[design.pairing]}.",
        f"There were {len(arms)} arms: {listed(arms)}." if len(arms) > 1 else "",
    ]
    if design.schedule == "crossover":
        told.append(
            f"{COUNTERBALANCES[design.counterbalance]}. Between the periods lay a washout of at "
            f"least {many(design.washout_days, 'day')}, enforced for each reader."
        )
    if design.repeats:
        told.append(
            f"In each period every reader was shown {many(design.repeats, 'case')} a second time, "
            f"at least {many(design.lag, 'position')} later and without notice."
        )
    return [" ".join(part for part in told if part)]


def _allocation(source: Source) -> Paragraphs:
    design, drawn = source.design, source.papers.certificate
    if not source.was_read_here:
        return []
    rules = [
        f"cases of one patient at least {design.gap} positions apart" if design.gap else "",
        f"at most {design.max_run} cases of one class in a row" if design.max_run else "",
        f"strata and classes balanced over {design.blocks} blocks" if design.blocks > 1 else "",
        "sides of images beside each other by lot"
        if design.pairing != "single" and design.sides_drawn
        else "",
    ]
    kept = listed([rule for rule in rules if rule])
    order = "The order of the cases was drawn at random for each reader" + (
        f", with {kept}." if kept else "."
    )
    if not drawn:
        return [f"{order} No certificate of the draw is at hand."]
    return [
        f"{order} It was drawn once, when the protocol was locked, by the algorithm "
        f"{drawn['algorithm']} from the stored seed {drawn['seed']}; the stored table has the "
        f"SHA-256 {drawn['table_hash']}, and the certificate lets anybody draw it again."
    ]


def _readers(source: Source) -> Paragraphs:
    readers = source.data.readers
    years = sorted(reader.years for reader in readers if reader.years is not None)
    told = [f"{many(len(readers), 'reader').capitalize()} took part, known by codes."]
    if years:
        middle = statistics.median(years)
        told.append(
            f"Their experience was {years[0]} to {years[-1]} years (median {middle:g}; stated by "
            f"{len(years)} of {len(readers)})."
            if len(years) > 1
            else f"Experience was stated by one reader: {years[0]} years."
        )
    fields = sorted({reader.subspecialty for reader in readers if reader.subspecialty})
    told.append(f"Subspecialties: {listed(fields)}." if fields else "")
    gone = [reader.code for reader in readers if reader.withdrawn]
    told.append(
        f"Withdrawn during the study: {listed(gone)}; what they read counts." if gone else ""
    )
    return [" ".join(part for part in told if part)]


def _cases(source: Source) -> Paragraphs:
    items = list(source.data.items.values())
    subjects = {item.subject for item in items}
    shown = [origin for item in items for origin in item.origins]
    strata = sorted({item.stratum for item in items if item.stratum})
    generators = sorted({name for item in items for name in item.generators if name})
    told = [
        f"{many(len(items), 'case').capitalize()} of {many(len(subjects), 'patient')} were read.",
        f"{shown.count(REAL):,} images were real, {shown.count(SYNTHETIC):,} synthetic."
        if shown.count(REAL) or shown.count(SYNTHETIC)
        else "",
        f"Generators: {listed(generators)}." if generators else "",
        f"Strata: {listed(strata)}." if strata else "",
        f"{source.data.withdrawn:,} readings were left out because their case was withdrawn."
        if source.data.withdrawn
        else "",
    ]
    return [" ".join(part for part in told if part)]


def _reading(source: Source) -> Paragraphs:
    protocol, papers = source.data.protocol, source.papers
    asked = [_question(question) for question in protocol.questions]
    paragraphs = ["Readers were asked:", *asked]
    if told := str(papers.protocol.get("instructions", "")):
        paragraphs.append(f"Instructions to the readers: “{' '.join(told.split())}”")
    training = papers.protocol.get("training") or []
    passing = source.design.qualification
    if training:
        needed = f"; {100 * passing:g} % right answers were needed to go on" if passing else ""
        count = many(len(training), "training case")
        paragraphs.append(f"Before it, readers read {count} with feedback{needed}.")
    if papers.display:
        paragraphs.append(papers.display)
    return paragraphs


def _question(question: QuestionFacts) -> str:
    kind = KINDS.get(question.kind, question.kind).rstrip(".").lower()
    levels = "; ".join(
        f"{one.label} ({one.anchor})" if one.anchor else one.label for one in question.options
    )
    unit = f", in {question.unit}" if question.unit else ""
    return f"– {question.text} ({kind}{unit}" + (f": {levels})" if levels else ")")


def _truth(source: Source) -> Paragraphs:
    papers, data = source.papers, source.data
    if not source.was_read_here:
        return [ELSEWHERE]
    told = [
        "Readers had no access to origin, reference standard, other readers’ answers or any "
        "result. They read independently of each other."
    ]
    unblinded = papers.dates.get("unblinded") or data.protocol.unblinded_at
    told.append(f"The study was unblinded on {day(unblinded)}." if unblinded else "")
    broken = {read.item for read in data.reads if read.blind_broken_at is not None}
    told.append(f"The blind was broken early for {many(len(broken), 'case')}." if broken else "")
    told += [f"{text}." for text in papers.references]
    return [" ".join(part for part in told if part)]


def _general(source: Source) -> str:
    plan = source.data.protocol.plan
    locked = source.papers.dates.get("locked") or source.data.protocol.locked_at
    primary = [entry.title for entry in plan if entry.primary]
    told = [
        _planning(source, locked) if plan else "No analysis was planned before the data were seen.",
        f"Primary: {listed(primary)}." if primary else "",
        "Undefined numbers are reported as such with their reason. Repeated presentations of a "
        "case enter only the analysis of the agreement of readers with themselves.",
    ]
    if source.papers.exploratory:
        titles = listed([f"{title} ({reason})" for title, reason in source.papers.exploratory])
        told.append(f"Asked for after unblinding, and marked exploratory: {titles}.")
    return " ".join(part for part in told if part)


def _planning(source: Source, locked: str) -> str:
    if not source.was_read_here:
        return "The plan is that of the study page; the data were collected elsewhere."
    return (
        "The analysis was planned before the data were seen; the plan is part of the protocol, "
        f"locked on {day(locked)} and in force in version {source.data.protocol.version}."
    )


def _entry(source: Source) -> Any:
    def write(entry: PlannedAnalysis) -> str:
        return " ".join(_sentences(source, entry))

    return write


def _sentences(source: Source, entry: PlannedAnalysis) -> Iterator[str]:
    protocol = source.data.protocol
    texts = {question.code: question.text for question in protocol.questions}
    asked = texts.get(entry.question, entry.question)
    rank = "primary" if entry.primary else "secondary"
    what = f"{ENDPOINTS[entry.endpoint]}, from the question “{asked}”{_graded(entry, texts)}"
    yield f"**{entry.title}** ({rank}). {what}."
    yield f"Unit of analysis: {UNITS[entry.unit].lower()}."
    if entry.arms:
        arms = [protocol.arm_name(arm) for arm in entry.arms]
        yield f"Arms, the reference first: {listed(arms)}."
    if entry.methods:
        known = references(source)
        yield f"Methods: {listed([_cited(method, known) for method in entry.methods])}."
    yield f"Readers: {_lower(READERS[entry.readers])}."
    yield f"Not evaluable: {_lower(NOT_EVALUABLE[entry.not_evaluable])}."
    yield f"Missing: {_lower(MISSING[entry.missing])}."
    yield from _details(entry)


def _graded(entry: PlannedAnalysis, texts: dict[str, str]) -> str:
    if not entry.confidence:
        return ""
    return f", graded by “{texts.get(entry.confidence, entry.confidence)}”"


def _details(entry: PlannedAnalysis) -> Iterator[str]:
    if entry.consensus:
        yield "Answers after discordant ones were resolved."
    if entry.positive:
        yield f"Counted as positive: {entry.positive}."
    if entry.margin is not None:
        yield f"Margin: {100 * entry.margin:g} percentage points or {entry.margin:g} in area."
    if entry.covariates:
        yield f"Covariates: {listed(list(entry.covariates))}."
    if entry.time:
        yield f"Time: {entry.time}; event: {entry.event or 'not named'}."
    if entry.horizons:
        yield f"Stated at the times {_numbers(entry.horizons)}."
    if entry.cutoffs:
        yield f"Cut-offs: {_numbers(entry.cutoffs)}."
    if entry.subgroups:
        yield f"Estimated once more, without a test, by {listed(list(entry.subgroups))}."
    if entry.adjustment:
        yield (f"Adjusted after {ADJUSTMENTS[entry.adjustment]} over the family “{entry.family}”.")
    else:
        yield "No adjustment for multiple testing."
    level = 100 * (1 - entry.alpha)
    yield f"Tests at α = {entry.alpha:g}, intervals of {level:g} %."
    yield f"Where data are resampled: {entry.draws:,} draws, seed {entry.seed}."


def _numbers(values: Sequence[float]) -> str:
    return listed([f"{value:g}" for value in values])


def _cited(method: str, known: Sequence[str]) -> str:
    """Return a method in words with the numbers of its references."""
    places = sorted(known.index(text) + 1 for text in references_of([method]))
    cited = ", ".join(map(str, places))
    return f"{name_of(method)} [{cited}]" if cited else name_of(method)


def _lower(text: str) -> str:
    return text[0].lower() + text[1:].rstrip(".")


def _software(source: Source) -> Paragraphs:
    rests = source.document.provenance
    used = ", ".join(f"{name} {number}" for name, number in (rests.get("software") or {}).items())
    told = [
        f"Software: {used}." if used else "",
        "Every answer, change and look at the truth is kept in an append-only log whose records "
        "are chained by SHA-256."
        if source.was_read_here
        else "",
        f"{many(len(source.papers.amendments), 'amendment').capitalize()} to the protocol and "
        f"{many(len(source.papers.departures), 'deviation')} from it are listed in the report.",
    ]
    return [" ".join(part for part in told if part)]
