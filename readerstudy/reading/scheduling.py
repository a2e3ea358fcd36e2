"""Lock a study: draw the allocation once and store it as rows; then launch it."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from django.db.models import QuerySet

from readerstudy.core import audit, jobs
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict
from readerstudy.reading import allocation
from readerstudy.reading.models import Allocation, AllocationPart, Reading, ReadingImage
from readerstudy.studies import lifecycle, locking
from readerstudy.studies.asking import arms_of, slots_in
from readerstudy.studies.models import Enrolment, Study, StudyCase

WANTED_GAP = 10
AfterImages = Callable[[Study, Any], object]
_after_images: list[AfterImages] = []


def follows_images(function: AfterImages) -> AfterImages:
    """Register what is to be begun, with (study, actor), once all images are prepared."""
    _after_images.append(function)
    return function


def images_are_ready(study: Study, *, actor: Any) -> None:
    """Begin what waits for the images of a study."""
    for follow in _after_images:
        follow(study, actor)


def lock_and_allocate(
    *, study: Study, actor: Any, seed: str | None = None, images: bool = True, note: str = ""
) -> Allocation:
    """Freeze the protocol, draw every reader's order and store it; images are prepared by a job.

    Without ``images`` no job is queued: a dry run takes over the images of its study. ``note``
    stands in the audit log as the reason.

    Raises
    ------
    Conflict
        If a point of the checklist blocks, or no order can keep the rules of the design.
    """
    seed = seed or secrets.token_hex(16)
    with write_transaction():
        lifecycle.require_ready(study, before="lock")
        locking.prepare(study)
        study = lifecycle.advance(
            study=study, to=Study.State.LOCKED, actor=actor, reason=note.strip()
        )
        stored = _allocate(study, seed)
        audit.record(
            actor=actor,
            action="study.allocate",
            target=f"study {study.pk}",
            new={"seed": seed, "table_hash": stored.table_hash},
        )
        if images:
            prepare_images(study=study, actor=actor)
    return stored


def _allocate(study: Study, seed: str) -> Allocation:
    try:
        design = design_of(study)
        rows = allocation.draw(design, seed)
    except allocation.ImpossibleDesign as error:
        raise Conflict(str(error), code="impossible_design") from error
    store_rows(study, {e.code: e for e in study.readers}, rows)
    return Allocation.objects.create(
        study=study,
        seed=seed,
        algorithm=allocation.ALGORITHM,
        design=allocation.design_document(design),
        table_hash=allocation.table_hash(rows),
    )


def prepare_images(*, study: Study, actor: Any) -> None:
    """Queue the job that encodes every image of a locked study in its display form."""
    jobs.enqueue(
        "encode_study",
        title=f"Prepare the images of {study.name}",
        arguments={"study": str(study.pk)},
        actor=actor,
        key=f"encode_study:{study.pk}",
    )


def design_of(study: Study, readers: Iterable[str] | None = None) -> allocation.Design:
    """Return the input of the draw: the study's settings, cases and readers.

    Raises
    ------
    ImpossibleDesign
        If there is nothing to draw from.
    """
    plan = study.plan
    main = items_of(study, StudyCase.Phase.MAIN)
    return allocation.Design(
        readers=tuple(readers or study.readers.values_list("code", flat=True)),
        items=main,
        training=items_of(study, StudyCase.Phase.TRAINING),
        arms=tuple(arms_of(study)),
        plan=plan.plan,
        schedule=plan.schedule,
        counterbalance=plan.counterbalance,
        plots=plan.plots if plan.plan == "split_plot" else 1,
        readers_per_item=plan.readers_per_item if plan.plan == "partial" else 1,
        repeats=plan.repeats,
        lag=plan.lag if plan.repeats else 1,
        gap=plan.gap or _gap(main),
        max_run=plan.max_run,
        blocks=plan.blocks,
    )


def items_of(study: Study, phase: str) -> tuple[allocation.Item, ...]:
    """Return the items of a phase as the draw knows them: codes, subjects, strata, letters."""
    plan = study.plan
    rows = study.study_cases.filter(phase=phase).select_related("case__subject")
    places = Counter(row.item for row in rows)
    return tuple(
        allocation.Item(
            key=row.item,
            subject=row.case.subject.code,
            stratum=row.case.stratum,
            group=row.group,
            unit=row.case.subject.code if plan.plan == "one_version" else "",
            places=places[row.item] if plan.sides_drawn else 1,
        )
        for row in rows
        if row.place == 0
    )


def _gap(items: tuple[allocation.Item, ...]) -> int:
    """Keep the cases of one subject ten positions apart, or as far as a small set allows."""
    most = max(Counter(item.subject for item in items).values(), default=1)
    return 1 if most == 1 else max(2, min(WANTED_GAP, len(items) // (2 * most)))


def store_rows(
    study: Study, enrolments: dict[str, Enrolment], rows: list[allocation.Row]
) -> list[Reading]:
    """Write the table as readings, each with a token of its own for every image."""
    members: dict[str, list[StudyCase]] = {}
    for row in study.study_cases.select_related("case").order_by("item", "place"):
        members.setdefault(row.item, []).append(row)
    readings = Reading.objects.bulk_create(
        _reading(enrolments[row.reader], row, members[row.item]) for row in rows
    )
    slots = {arm: slots_in(study, arm) for arm in {reading.arm for reading in readings}}
    overlay = overlay_of_all(study)
    ReadingImage.objects.bulk_create(
        image
        for reading in readings
        for image in _images(reading, members[reading.item], slots[reading.arm], overlay)
    )
    return readings


def _reading(enrolment: Enrolment, row: allocation.Row, members: list[StudyCase]) -> Reading:
    sides = row.sides if len(row.sides) == len(members) else tuple(range(len(members)))
    return Reading(
        enrolment=enrolment,
        case=members[0].case,
        item=row.item,
        arm=row.arm,
        period=row.period,
        position=row.position,
        stage=row.stage,
        repeat=row.repeat,
        sides=list(sides),
    )


def _images(
    reading: Reading, members: list[StudyCase], slots: list[Any], overlay: list[str]
) -> Iterable[ReadingImage]:
    for slot in slots:
        member = members[reading.sides[slot.place]]
        yield ReadingImage(reading=reading, slot=slot.code, case=member.case, role=slot.role)
    for role in overlay:
        yield ReadingImage(reading=reading, slot=role, case=members[0].case, role=role)


def overlay_of_all(study: Study) -> list[str]:
    """Return the role of the overlay, in a list, if every case of the study has it."""
    overlay = study.display.overlay
    if overlay is None:
        return []
    cases = study.cases.all()
    return [overlay.role] if cases.with_role(overlay.role).count() == len(cases) else []


def launch(*, study: Study, actor: Any, note: str = "") -> Study:
    """Open the reading for the readers; ``note`` stands in the audit log as the reason."""
    with write_transaction():
        lifecycle.require_ready(study, before="launch")
        return lifecycle.advance(
            study=study, to=Study.State.RUNNING, actor=actor, reason=note.strip()
        )


def certificate(study: Study) -> dict[str, Any]:
    """Return all that a reviewer needs to draw the allocation again, with the stored table.

    Until unblinding the design, which holds the letters of the classes, is given as a hash only.
    """
    stored = study.allocation
    known = study.state == Study.State.UNBLINDED or not _has_groups(stored.design)
    return {
        "format": "readerstudy-allocation-certificate-2",
        "algorithm": stored.algorithm,
        "seed": stored.seed,
        **({"design": stored.design} if known else {}),
        "design_hash": lifecycle.hash_of(stored.design),
        "table_hash": stored.table_hash,
        "created_at": stored.created_at.isoformat(),
        "protocol_hash": study.protocol_hash,
        "table": allocation.table(rows_of(study)),
        "parts": [_part(one, study) for one in _parts_of(study)],
        **_takeovers(study),
    }


def _takeovers(study: Study) -> dict[str, Any]:
    """Return the lists that reserve readers took over: rows of a withdrawn reader, not drawn."""
    reserves = list(_reserves(study).select_related("replaces").order_by("pk"))
    if not reserves:
        return {}
    rows = _all_rows(study)
    return {
        "takeovers": [
            {
                "reader": one.code,
                "replaces": one.replaces.code if one.replaces else "",
                "table": allocation.table([row for row in rows if row.reader == one.code]),
            }
            for one in reserves
        ]
    }


def _reserves(study: Study) -> QuerySet[Enrolment]:
    return study.readers.filter(replaces__isnull=False)


def _parts_of(study: Study) -> Iterable[AllocationPart]:
    found = AllocationPart.objects.filter(enrolment__study=study)
    return found.select_related("enrolment").order_by("enrolment__pk")


def _part(stored: AllocationPart, study: Study) -> dict[str, Any]:
    """Return the draw for a reader who was added after the lock."""
    known = study.state == Study.State.UNBLINDED or not _has_groups(stored.design)
    rows = [row for row in _all_rows(study) if row.reader == stored.enrolment.code]
    return {
        "reader": stored.enrolment.code,
        "algorithm": stored.algorithm,
        "seed": stored.seed,
        **({"design": stored.design} if known else {}),
        "design_hash": lifecycle.hash_of(stored.design),
        "table_hash": stored.table_hash,
        "created_at": stored.created_at.isoformat(),
        "table": allocation.table(rows),
    }


def _has_groups(design: dict[str, Any]) -> bool:
    return any(item["group"] for item in design["items"])


def rows_of(study: Study) -> list[allocation.Row]:
    """Return the stored readings as rows of the table that was drawn at the lock."""
    later = {one.enrolment.code for one in _parts_of(study)}
    later |= set(_reserves(study).values_list("code", flat=True))
    return [row for row in _all_rows(study) if row.reader not in later]


def _all_rows(study: Study) -> list[allocation.Row]:
    """Return the rows of all readers; further attempts at the training were not drawn."""
    readings = (
        Reading.objects.filter(enrolment__study=study, enrolment__kind=Enrolment.Kind.READER)
        .exclude(period=0, repeat__gt=0)
        .select_related("enrolment")
    )
    drawn = study.plan.sides_drawn
    rows = [
        allocation.Row(
            reader=one.enrolment.code,
            period=one.period,
            position=one.position,
            item=one.item,
            arm=one.arm,
            stage=one.stage,
            repeat=one.repeat,
            sides=tuple(one.sides) if drawn else (0,),
        )
        for one in readings
    ]
    return sorted(rows, key=lambda row: (row.reader, row.period, row.position))
