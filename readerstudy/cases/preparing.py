"""Prepare cases: run the chain, propose what came out, and replace series once a person accepts.

A preparation never touches a series by itself. What it made is stored beside it, with pictures
from before and after; `deciding.accept` swaps the columns of the series in one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings

from readerstudy.cases import canonical, storage
from readerstudy.cases.models import Case, Preparation, Series
from readerstudy.cases.usage import usage_of
from readerstudy.core import audit, jobs
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict, ReaderStudyError
from readerstudy.core.models import Job
from readerstudy.imaging.geometry import Volume
from readerstudy.imaging.preparation import pictures
from readerstudy.imaging.preparation.chain import ChainResult, run_chain
from readerstudy.imaging.preparation.chain_spec import PRESETS, TEMPLATE, StepSpec, parse_chain
from readerstudy.imaging.preparation.chain_steps import Item, Tools
from readerstudy.imaging.preparation.records import PreparationError

KIND = "prepare_cases"
BRAIN_MASK_ROLES = ("brain-mask", "brain_mask", "brain")
PICTURE_SIZE = 200
Progress = Callable[[int, int, str], None]
BLINDED = "Its images stand still while a study with it is locked, running or closed."


def order(
    *, cases: Sequence[Case], chain: Any = None, actor: Any, auto_accept: bool = False
) -> Job:
    """Put the preparation of cases into the queue.

    Parameters
    ----------
    cases : sequence of Case
    chain : list of mapping, optional
        As for `readerstudy.imaging.preparation.chain_spec.parse_chain`; "brain only" when left
        out.
    auto_accept : bool
        Accept by itself what shows the brain alone with a mask that is certain.

    Raises
    ------
    ReaderStudyError
        No case, or a chain that cannot be run as it is written.
    """
    if not cases:
        raise ReaderStudyError("Choose at least one case.")
    steps = [spec.as_dict() for spec in parsed(chain)]
    count = "1 case" if len(cases) == 1 else f"{len(cases)} cases"
    return jobs.enqueue(
        KIND,
        title=f"Prepare {count}",
        arguments={
            "cases": [str(case.pk) for case in cases],
            "chain": steps,
            "auto_accept": auto_accept,
        },
        actor=actor,
    )


def parsed(chain: Any) -> tuple[StepSpec, ...]:
    """Check a chain; "brain only" stands where none is given."""
    try:
        return parse_chain(PRESETS["brain-only"]["steps"] if chain is None else chain)
    except PreparationError as error:
        raise ReaderStudyError(str(error)) from error


def prepare(
    *,
    case: Case,
    chain: Sequence[StepSpec],
    job: str,
    actor: Any,
    progress: Progress | None = None,
) -> Preparation:
    """Run a chain over the series of a case and propose the result.

    A run that was cut short is done again in its own row; one that came to its end is returned.
    What cannot be prepared ends as failed, with the reason.
    """
    row = _row(case, chain, job, actor)
    if row.state != Preparation.State.RUNNING:
        return row
    try:
        results = _results(case, chain, progress)
    except (PreparationError, ReaderStudyError) as error:
        return _finish(row, Preparation.State.FAILED, {"job": job}, reason=str(error))
    return _finish(row, Preparation.State.PROPOSED, {"job": job, **results})


def _row(case: Case, chain: Sequence[StepSpec], job: str, actor: Any) -> Preparation:
    known = Preparation.objects.filter(case=case, results__job=job).first()
    if known is not None:
        return known
    with write_transaction():
        return Preparation.objects.create(
            case=case,
            chain=[spec.as_dict() for spec in chain],
            results={"job": job},
            created_by=actor if getattr(actor, "pk", None) else None,
        )


def _finish(
    row: Preparation, state: Preparation.State, results: dict[str, Any], reason: str = ""
) -> Preparation:
    row.state, row.results, row.reason = state, results, reason
    with write_transaction():
        row.save(update_fields=["state", "results", "reason"])
        audit.record(
            actor=row.created_by,
            action=f"case.prepare.{state.value}",
            target=f"case {row.case_id}",
            new={"preparation": str(row.pk), "record_sha256": _record_sha256(results)},
            reason=reason,
        )
    return row


def _record_sha256(results: dict[str, Any]) -> str:
    return str(results.get("record", {}).get("sha256", ""))


def _results(case: Case, chain: Sequence[StepSpec], progress: Progress | None) -> dict[str, Any]:
    if usage_of(case).blinded:
        raise Conflict(BLINDED)
    every = {one.role: one for one in case.series.all() if one.source_kind != "png"}
    series = {role: one for role, one in every.items() if role not in BRAIN_MASK_ROLES}
    volumes = {role: canonical.load_volume(one) for role, one in series.items()}
    if not volumes:
        raise Conflict("It has no series that can be prepared; sets of pictures are left alone.")
    result = run_chain(volumes, chain, lent=_lent(every), progress=progress)
    return {
        "record": dict(result.record),
        "warnings": result.warnings,
        "series": {role: _outcome(series[role], volumes[role], result) for role in volumes},
    }


def _lent(series: dict[str, Series]) -> Tools:
    masks = [one for role, one in series.items() if role in BRAIN_MASK_ROLES]
    return Tools(
        given={"": canonical.load_volume(masks[0])} if masks else {},
        command=settings.BRAIN_MASK_COMMAND,
        timeout_s=settings.BRAIN_MASK_SECONDS,
        resolve=_reference,
    )


def _reference(name: str, role: str) -> Volume:
    """The series of a role in the case of a code."""
    series = Series.objects.filter(case__code=name, role=role).first()
    if series is None:
        advice = "Name the code of a case that has this sequence."
        raise PreparationError(f"there is no {role} in a case {name}", advice)
    return canonical.load_volume(series)


def _outcome(series: Series, before: Volume, result: ChainResult) -> dict[str, Any]:
    """What accepting would write, and what a person needs to decide."""
    item = result.items[series.role]
    columns = canonical.store_volume(item.volume)
    for kept in ("facts", "source_sha256"):
        columns.pop(kept)
    return {
        "before": {"sha256": series.sha256, "shape": series.shape, "spacing_mm": series.spacing_mm},
        "columns": columns,
        "steps": [record.as_dict() for record in item.records],
        "warnings": result.warnings_of(series.role),
        "brain_only": shows_brain_only(item),
        "pictures": _pictures(before, item),
    }


def shows_brain_only(item: Item) -> bool:
    """Whether a step cleared everything outside the brain."""
    return any(r.step == "brain_mask" and r.parameters.get("apply") for r in item.records)


def _pictures(before: Volume, item: Item) -> dict[str, str]:
    moved = any(record.parameters.get("to") == TEMPLATE for record in item.records)
    sheets = pictures.pair(before, item.volume, item.mask, size=PICTURE_SIZE, same_place=not moved)
    names = ("before", "after")
    return {
        name: storage.put(pictures.png(sheet)) for name, sheet in zip(names, sheets, strict=True)
    }


def is_certain(preparation: Preparation) -> bool:
    """Whether every series shows the brain alone and nothing has to be looked at."""
    series = preparation.results.get("series", {})
    shown = [one["brain_only"] for role, one in series.items() if role != "mask"]
    return bool(shown) and all(shown) and not preparation.results.get("warnings")
