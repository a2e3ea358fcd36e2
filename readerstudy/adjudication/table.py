"""The consensus as a table: initial answers, votes and what holds, without a name."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

from readerstudy.adjudication.finding import votable
from readerstudy.adjudication.models import Consensus, Round, Vote
from readerstudy.adjudication.settling import HOW, Settled, settled
from readerstudy.core.cells import safe_cell
from readerstudy.studies.answers import NOT_EVALUABLE
from readerstudy.studies.models import Question, Study

COLUMN_TEXTS = {
    "question": "Code of the question",
    "item": "Code of what was shown: the case, or the first of several beside each other",
    "arm": "Code of the arm in which the case was read; main where there is one",
    "initial_answers": "The readers' own answers as first given, sorted, without names, separated "
    "by a vertical bar",
    "rule": "When answers counted as discordant in this round",
    "round": "Number of the round; empty where the case was laid before no panel",
    "version": "Of the consensus on this question and item, from 1; a later round makes a new one",
    "current": "1 if this version holds, 0 if a later one supersedes it",
    "own_votes": "Votes of the panel before the opinions were seen, sorted, without names",
    "final_votes": "Votes of the panel after the opinions were seen, sorted, without names",
    "votes_for": "Final votes for the value with most votes",
    "votes": "Final votes",
    "how": "readers agreed, consensus of the panel, no majority in the panel, or not laid before "
    "a panel",
    "value": "What holds by this version: code of the answer, not_evaluable, or empty",
    "concluded_at_utc": "When the round was concluded, ISO 8601, UTC",
}
COLUMNS = tuple(COLUMN_TEXTS)


def is_adjudicated(study: Study) -> bool:
    """Was anything laid before a panel, or is a consensus planned?"""
    return study.rounds.exists() or any(entry.consensus for entry in study.analyses)


def consensus_rows(study: Study) -> Iterable[dict[str, Any]]:
    """Yield every question and item that a panel can vote on, each version on a row of its own."""
    for question in votable(study):
        versions = _versions(study, question)
        for one in settled(study, question):
            known = versions.get((one.item, one.arm), [])
            yield from (_version_row(question, one, version) for version in known)
            if not known:
                yield _row(question, one) | {"how": HOW[one.how], "value": _code(one.value)}


def consensus_csv(study: Study) -> str:
    """Return the table as CSV."""
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(consensus_rows(study))
    return out.getvalue()


def rule_of(opened: Round, question: Question) -> str:
    """Return when answers to a question counted as discordant, in words."""
    if question.kind != Question.Kind.ORDINAL or opened.least_levels == 1:
        return "answers differ"
    apart = opened.least_levels - 1
    return f"levels differ by more than {apart}"


def _versions(study: Study, question: Question) -> dict[tuple[str, str], list[Consensus]]:
    found: dict[tuple[str, str], list[Consensus]] = {}
    rows = Consensus.objects.filter(
        discordance__round__study=study, discordance__question=question
    ).select_related("discordance__round", "superseded_by")
    for one in rows.prefetch_related("discordance__votes").order_by("version"):
        found.setdefault((one.discordance.item, one.discordance.arm), []).append(one)
    return found


def _version_row(question: Question, one: Settled, version: Consensus) -> dict[str, Any]:
    laid = version.discordance
    concluded = laid.round.concluded_at
    return _row(question, one) | {
        "initial_answers": _codes(laid.opinions),
        "rule": rule_of(laid.round, question),
        "round": laid.round.number,
        "version": version.version,
        "current": int(not hasattr(version, "superseded_by")),
        "own_votes": _codes(_votes(version, Vote.Stage.OWN)),
        "final_votes": _codes(_votes(version, Vote.Stage.FINAL)),
        "votes_for": version.votes_for,
        "votes": version.votes,
        "how": HOW["no_majority" if version.value is None else "consensus"],
        "value": _code(version.value),
        "concluded_at_utc": concluded.isoformat() if concluded else "",
    }


def _row(question: Question, one: Settled) -> dict[str, Any]:
    given = _codes(one.given)
    return {"question": question.code, "item": one.item, "arm": one.arm, "initial_answers": given}


def _votes(version: Consensus, stage: str) -> list[Any]:
    return [vote.value for vote in version.discordance.votes.all() if vote.stage == stage]


def _codes(values: Iterable[Any]) -> str:
    return "|".join(sorted(_code(value) for value in values))


def _code(value: Any) -> str:
    if value is None:
        return ""
    return "not_evaluable" if value == NOT_EVALUABLE else str(safe_cell(value))
