"""When a cue blocks the launch of a study: usual limits, and a change with its reason."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import ReaderStudyError
from readerstudy.sentinel.models import SentinelLimits
from readerstudy.studies.models import Study


@dataclass(frozen=True)
class Blocking:
    """Limits of one study; see `separation.Limits` and `models.SentinelLimits`."""

    auc: float = 0.6
    p: float = 0.01
    least_ms: float = 5.0
    content_blocks: bool = False


def limits_of(study: Study) -> Blocking:
    """Return the limits of a study."""
    row = SentinelLimits.objects.filter(study=study).first()
    if row is None:
        return Blocking()
    return Blocking(row.auc, row.p, row.least_ms, row.content_blocks)


def set_limits(*, study: Study, limits: Blocking, actor: Any, reason: str) -> None:
    """Change the limits of a study; the last run no longer counts.

    Raises
    ------
    ReaderStudyError
        If a limit makes no sense, or the reason is missing.
    """
    if not 0.5 < limits.auc < 1:
        raise ReaderStudyError("The limit of the AUC must lie between 0.5 and 1.")
    if not 0.002 <= limits.p <= 0.2:
        raise ReaderStudyError("The level of the test must lie between 0.002 and 0.2.")
    if not 0 <= limits.least_ms <= 1000:
        raise ReaderStudyError("The least difference in time must lie between 0 and 1000 ms.")
    if not reason.strip():
        raise ReaderStudyError("Give the reason for other limits; it is kept in the audit log.")
    with write_transaction():
        old = limits_of(study)
        SentinelLimits.objects.update_or_create(study=study, defaults=asdict(limits))
        audit.record(
            actor=actor,
            action="sentinel.limits",
            target=f"study {study.pk}",
            old=asdict(old),
            new=asdict(limits),
            reason=reason.strip(),
        )
