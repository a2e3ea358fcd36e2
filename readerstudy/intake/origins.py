"""State the origin of the cases that came in; one that is on record stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from readerstudy.cases.ingest import ERROR, OK, Outcome
from readerstudy.cases.models import Case
from readerstudy.core.errors import Conflict
from readerstudy.intake.options import SYNTHETIC, UNKNOWN, Options
from readerstudy.truth import register
from readerstudy.truth.models import Origin
from readerstudy.truth.visibility import is_blinded


def declare(outcomes: Sequence[Outcome], *, options: Options, actor: Any) -> list[Outcome]:
    """Put the origin of an import's cases on record; a contradiction becomes their outcome."""
    if options.origin == UNKNOWN:
        return list(outcomes)
    codes = {one.case for one in outcomes if one.status == OK and one.case}
    refused: dict[str, str] = {}
    for case in Case.objects.filter(code__in=codes).order_by("code"):
        if is_blinded(case) and Origin.objects.filter(case=case).exists():
            continue  # a refusal would tell a blinded person what is on record
        try:
            _declare(case, options, actor)
        except Conflict as error:
            refused[case.code] = error.message
    return [_told(one, refused) for one in outcomes]


def _declare(case: Case, options: Options, actor: Any) -> None:
    if options.origin == SYNTHETIC:
        made = register.GeneratedElsewhere(generator=options.generator)
        register.declare_made_elsewhere(case=case, generated=made, actor=actor)
    else:
        register.declare_real(cases=[case], actor=actor)


def _told(outcome: Outcome, refused: dict[str, str]) -> Outcome:
    reason = refused.get(outcome.case or "")
    if reason is None or outcome.status != OK:
        return outcome
    advice = "Its origin was not changed; import it as what it is."
    return replace(outcome, status=ERROR, reason=f"{reason} {advice}")
