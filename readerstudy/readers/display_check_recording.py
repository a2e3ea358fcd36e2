"""Put a display check on record, or the choice to read without a passed one."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.utils import timezone

from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import NotAllowed, ReaderStudyError
from readerstudy.readers import display_check_validity as validity
from readerstudy.readers.display_check_device import Device
from readerstudy.readers.display_check_run import Run
from readerstudy.readers.display_check_targets import ALGORITHM, draw
from readerstudy.readers.display_check_verdict import Conditions, is_right, judge
from readerstudy.readers.models import DisplayCheck

Outcome = DisplayCheck.Outcome
NO_DEVICE = (
    "This browser does not say which display it is on. Allow cookies and scripts for this site "
    "and load the page again."
)


def record(
    *,
    user: Any,
    device: Device,
    seed: str,
    answers: list[str],
    conditions: Conditions,
    facts: dict[str, Any],
) -> DisplayCheck:
    """Judge the answers to the targets of a seed and store them with the verdict.

    Parameters
    ----------
    facts : dict
        What else is kept of the circumstances: browser, seconds taken.

    Raises
    ------
    ReaderStudyError
        If there is not one answer for each target.
    """
    targets = draw(seed)
    if len(answers) != len(targets):
        raise ReaderStudyError("The display check is not finished. Go on with it.")
    verdict = judge(targets, answers, conditions)
    told = [
        {**asdict(target), "answer": answer, "right": is_right(target, answer)}
        for target, answer in zip(targets, answers, strict=True)
    ]
    return _store(
        user,
        device,
        outcome=Outcome.PASSED if verdict.passed else Outcome.LOOK,
        conditions={**asdict(conditions), **facts},
        answers=told,
        smallest=verdict.smallest,
        points=[asdict(point) for point in verdict.points],
        seed=seed,
        algorithm=ALGORITHM,
    )


def record_run(*, user: Any, run: Run) -> DisplayCheck:
    """Store a check that was gone through to its end."""
    return record(
        user=user,
        device=run.device,
        seed=run.seed,
        answers=list(run.answers),
        conditions=run.conditions,
        facts=run.facts,
    )


def skip(*, user: Any, device: Device | None) -> DisplayCheck:
    """Store that a reader goes on without a passed check on this display.

    Raises
    ------
    NotAllowed
        Where the server asks for a passed check.
    ReaderStudyError
        If the browser does not name its display.
    """
    if validity.policy() == validity.REQUIRED:
        raise NotAllowed("A passed display check is required before reading here.")
    if device is None:
        raise ReaderStudyError(NO_DEVICE)
    return _store(user, device, outcome=Outcome.SKIPPED)


def _store(user: Any, device: Device, **columns: Any) -> DisplayCheck:
    with write_transaction():
        check = DisplayCheck.objects.create(
            user=user,
            at=timezone.now(),
            device=device.id,
            screen_width=device.width,
            screen_height=device.height,
            pixel_ratio=device.pixel_ratio,
            colour_depth=device.colour_depth,
            **columns,
        )
        audit.record(
            actor=user,
            action=f"display_check.{check.outcome}",
            target=f"display check {check.pk}",
            new={"smallest": check.smallest, "seed": check.seed, "algorithm": check.algorithm},
        )
    return check
