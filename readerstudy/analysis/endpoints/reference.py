"""Endpoint "reference": right answers against the reference standard, real against synthetic.

Table 2 of Calabrese et al. 2021 per reader and over all of them, with the test that fits who read
which version: see `versions`.
"""

from __future__ import annotations

from readerstudy.analysis.document import (
    Block,
    Cell,
    Column,
    Passage,
    Row,
    Section,
    Table,
    Test,
    count,
    undefined,
)
from readerstudy.analysis.endpoints.judged import Judged, judged
from readerstudy.analysis.endpoints.metrics import measured
from readerstudy.analysis.endpoints.mrmc_more import unused_methods
from readerstudy.analysis.endpoints.parts import in_words, parts
from readerstudy.analysis.endpoints.reference_compared import Comparison
from readerstudy.analysis.endpoints.reference_tables import (
    accuracy_alone,
    confusion_table,
    everything,
    metric_tables,
)
from readerstudy.analysis.endpoints.versions import (
    OVER_READERS,
    clustered_view,
    decides_over_readers,
)
from readerstudy.analysis.endpoints.words import interval, listed, percent
from readerstudy.analysis.facts import Dataset
from readerstudy.studies.analysis_plan import PlannedAnalysis

USED = {
    "confusion",
    "clustered_proportion",
    "proportion",
    "two_proportions",
    "non_inferiority",
    "mcnemar",
    "cohen_kappa",
    "adjust_pvalues",
    *OVER_READERS,
}

_THESE_DECIDE = (
    "The plan names no analysis over readers (obuchowski_rockette, u_statistic): the test that "
    "decides speaks of these readers. The row below it takes readers as a sample too."
)


def reference(data: Dataset, entry: PlannedAnalysis) -> Section:
    """Return the section of right answers against the reference standard.

    Raises
    ------
    ValueError
        If no answer can be judged.
    """
    found = judged(data, entry)
    blocks: list[Block] = [Passage(text) for text in found.notes]
    if found.silent:
        blocks.append(Passage(f"No answer that counts from {listed(list(found.silent))}."))
    tests: list[Test] = []
    leads: list[str] = []
    if not found.is_compared:
        leads.append(_lead_alone(found))
        blocks.append(accuracy_alone(found))
    elif entry.readers == "random" and not decides_over_readers(entry) and not entry.consensus:
        blocks.append(Passage(_THESE_DECIDE))
    for arm in range(1, len(found.groups)):
        made = Comparison(found, (0, arm))
        leads += made.lead()
        blocks += made.blocks()
        tests += made.tests()
    blocks += [*metric_tables(found), confusion_table(found)]
    blocks += _subgroups(data, entry)
    if "non_inferiority" in entry.methods and entry.margin is None:
        blocks.append(Passage("**Non-inferiority: not computed.** The plan states no margin."))
    if unused := unused_methods(entry, USED):
        blocks.append(unused)
    return Section(
        entry.code, entry.title, "", lead=tuple(leads), blocks=tuple(blocks), tests=tuple(tests)
    )


def _lead_alone(found: Judged) -> str:
    share = measured(found, [everything(found)]).number(0, "accuracy")
    return (
        f"Of the answers to “{found.question.text}”, **{percent(share.value)} %** were right "
        f"({interval(share, scale=100, places=1)}). There is one version only, so nothing is "
        "compared."
    )


def _subgroups(data: Dataset, entry: PlannedAnalysis) -> list[Block]:
    """Return the shares of right answers in the planned subgroups, without a test."""
    blocks: list[Block] = []
    for name in entry.subgroups:
        rows = []
        for label, part in parts(data, name):
            rows.append(_subgroup_row(label, part, entry))
        blocks.append(
            Table(
                code=f"subgroup_{name.replace(':', '_')}",
                title=f"By {in_words(name)}",
                columns=(
                    Column("part", "Part", "text"),
                    Column("reads", "Reads"),
                    Column("accuracy", "Right, %", "estimate"),
                    Column("difference", "Difference of versions, points", "estimate"),
                ),
                rows=tuple(rows),
                method="Clustered as planned, these readers; planned subgroup, no test",
                n=f"{len(rows)} parts",
                width="half",
            )
        )
    return blocks


def _subgroup_row(label: str, part: Dataset, entry: PlannedAnalysis) -> Row:
    try:
        found = judged(part, entry)
    except ValueError as error:
        nothing = undefined(str(error), "percent")
        return Row({"part": label, "reads": count(0), "accuracy": nothing, "difference": nothing})
    one = "one version only" if not found.is_compared else ""
    cells: dict[str, Cell] = {
        "part": label,
        "reads": count(len(found)),
        "accuracy": measured(found, [everything(found)]).number(0, "accuracy"),
        "difference": undefined(one, "points") if one else clustered_view(found, (0, 1)).difference,
    }
    return Row(cells)
