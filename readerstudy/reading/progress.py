"""What a reader's page is told: the state of the reading, and never a word of truth."""

from __future__ import annotations

import statistics
from dataclasses import asdict
from typing import Any, cast

from django.utils import timezone

from readerstudy.imaging.sequences import LABELS, Role
from readerstudy.reading import gates, preferences, recording, training
from readerstudy.reading.models import DisplayForm, Reading, Submission
from readerstudy.reading.planned import is_planned, withdrawn_at, withdrawn_under
from readerstudy.studies.asking import arms_of, questions_in, shown_question, slots_in
from readerstudy.studies.models import Enrolment, Study
from readerstudy.studies.viewing import Viewing

BREAK_EVERY = 50
SHOWN_OF_SLOT = (
    "role",
    "label",
    "plane",
    "shape",
    "spacing_mm",
    "origin_mm",
    "chunks",
    "window",
    "presets",
    "value",
    "colour",
)


def state_of(enrolment: Enrolment) -> dict[str, Any]:
    """Return the whole state for the reading page (fields listed by hand).

    ``forms`` holds for each arm what is shown and asked; a reading names its form by number,
    since the name of an arm could tell.
    """
    study = enrolment.study
    found = gates.offer(enrolment)
    last = recording.last_submission(enrolment)
    return {
        "study": {"title": study.reader_title, "instructions": study.instructions},
        "forms": forms_of(study, enrolment.reader),
        "progress": progress_of(enrolment),
        "reading": _reading(found.current, with_draft=True),
        "upcoming": [_reading(one) for one in found.upcoming],
        "waiting": gates.waiting_document(found),
        "withdrawn": withdrawn_under(enrolment),
        "undo": _undo(last, found.current),
        "last_receipt": receipt_of(last) if last else None,
        "state": "running" if gates.is_running(enrolment) else "closed",
        "server_time": timezone.now(),
    }


def forms_of(study: Study, reader: Any) -> list[dict[str, Any]]:
    """Return by arm what is shown and asked; the training block uses the first."""
    return [
        {"layout": layout_of(study, arm, reader), "questions": questions_of(study, arm)}
        for arm in arms_of(study)
    ]


def _reading(reading: Reading | None, *, with_draft: bool = False) -> dict[str, Any] | None:
    if reading is None:
        return None
    arms = arms_of(reading.enrolment.study)
    shown: dict[str, Any] = {
        "token": reading.token,
        "form": arms.index(reading.arm) if reading.arm in arms else 0,
        "period": reading.period,
        "position": reading.position,
        "stage": reading.stage,
        "training": reading.period == training.TRAINING_PERIOD,
        "images": {image.slot: image.token for image in reading.images.all()},
    }
    if with_draft:
        shown["draft"] = reading.draft
    return shown


def layout_of(study: Study, arm: str, reader: Any) -> dict[str, Any]:
    """Return the hanging protocol and the geometry that all cases of the study share."""
    form, viewing = study.display_form, study.display
    grids = {slot["role"]: slot for slot in form.slots}
    return {
        "hanging": {"initial": viewing.initial, "allowed": list(viewing.allowed)},
        "slots": [
            {name: grids[slot.role][name] for name in SHOWN_OF_SLOT}
            | {"role": slot.code, "label": slot.label}
            for slot in slots_in(study, arm)
        ],
        "overlays": _overlays(form, viewing),
        "interpolation": viewing.interpolation,
        "interpolation_fixed": viewing.interpolation_fixed,
        "integer_scale": bool(form.rule.get("flat")),
        "tools": list(viewing.tools),
        **preferences.of(reader),
    }


def _overlays(form: DisplayForm, viewing: Viewing) -> list[dict[str, Any]]:
    """Return the overlay with the slots that lie voxel by voxel under it."""
    overlay, first = viewing.overlay, form.slots[0]
    if overlay is None or form.overlay_buckets is None:
        return []
    place = ("plane", "shape", "spacing_mm", "origin_mm")
    under = [s["role"] for s in form.slots if all(s[name] == first[name] for name in place)]
    return [
        {
            "role": overlay.role,
            "label": LABELS.get(cast(Role, overlay.role), overlay.role),
            "on": under,
            "opacity": overlay.opacity,
            "labels": [asdict(label) for label in overlay.labels],
        }
    ]


def questions_of(study: Study, arm: str) -> list[dict[str, Any]]:
    """Return the questions of an arm as the reader sees them."""
    return [shown_question(question) for question in questions_in(study, arm)]


def progress_of(enrolment: Enrolment) -> dict[str, Any]:
    """Return how many readings are done, of how many, and the reader's own median time."""
    planned = enrolment.readings.filter(is_planned())
    total = planned.count()
    done = planned.filter(completed_at__isnull=False).count()
    return {
        "done": done,
        "total": total,
        "median_seconds": median_seconds(enrolment),
        "breaks": list(range(BREAK_EVERY, total, BREAK_EVERY)),
    }


def median_seconds(enrolment: Enrolment) -> float | None:
    """Return the reader's median time a case in seconds: load and look, breaks excluded."""
    times = reading_seconds(enrolment)
    return statistics.median(times) if times else None


def reading_seconds(enrolment: Enrolment) -> list[float]:
    """Return the time of each answered case in seconds, in the order of answering."""
    bodies = (
        Submission.objects.filter(
            reading__enrolment=enrolment,
            outcome=Submission.Outcome.ACCEPTED,
            supersedes__isnull=True,
        )
        .order_by("received_at")
        .values_list("body", flat=True)
    )
    return [seconds for body in bodies if (seconds := _clock_seconds(body)) is not None]


def _clock_seconds(body: dict[str, Any]) -> float | None:
    clock = body.get("clock") or {}
    parts = [clock.get("load_ms"), clock.get("look_ms")]
    if not all(isinstance(part, int | float) for part in parts):
        return None
    return sum(parts) / 1000


def _undo(last: Submission | None, current: Reading | None) -> dict[str, Any] | None:
    if last is None or (current is not None and current.reopened_at is not None):
        return None
    left = 0 if recording.is_sealed(last.reading) else recording.seconds_left(last)
    if withdrawn_at(last.reading) is not None:
        return None
    if left <= 0 or not gates.is_running(last.reading.enrolment):
        return None
    return {
        "token": last.reading.token,
        "position": last.reading.position,
        "seconds_left": round(left),
    }


def receipt_of(submission: Submission) -> dict[str, Any]:
    """Return the server's receipt of a submission."""
    return {
        "id": str(submission.pk),
        "received_at": submission.received_at,
        "position": submission.reading.position,
        "late": submission.outcome == Submission.Outcome.LATE,
        "reason": submission.reason,
        "feedback": training.feedback_of(submission.reading),
    }
