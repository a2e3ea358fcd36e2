"""What a reader's page is told: the state of the reading, and never a word of truth."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, cast

from django.urls import reverse
from django.utils import timezone

from readerstudy.imaging.sequences import LABELS, Role
from readerstudy.reading import gates, parts, preferences, recording, training
from readerstudy.reading.models import DisplayForm, Reading, Submission
from readerstudy.reading.parts import Part, progress_of
from readerstudy.reading.planned import withdrawn_at, withdrawn_under
from readerstudy.reading.practice import practice_of
from readerstudy.studies.asking import arms_of, questions_in, shown_question, slots_in
from readerstudy.studies.models import Enrolment, Study
from readerstudy.studies.viewing import Viewing

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
    times = parts.times_of(enrolment)
    part = parts.part_of(enrolment, found.current, times)
    shown = _Shown(enrolment, found)
    return {
        "study": {"title": study.reader_title, "instructions": study.instructions},
        "forms": forms_of(study, enrolment.reader),
        "progress": progress_of(enrolment, times) | {"part": parts.document_of(part)},
        "practice": practice_of(enrolment),
        "reading": shown.current(part),
        "upcoming": [
            shown.reading(one, number)
            for number, one in enumerate(found.upcoming, start=part.number_of(found.current) + 1)
        ],
        "waiting": _waiting(enrolment, found),
        "withdrawn": withdrawn_under(enrolment),
        "undo": _undo(last, found.current),
        "last_receipt": receipt_of(last) if last else None,
        "state": "running" if gates.is_running(enrolment) else "closed",
        "server_time": timezone.now(),
    }


def _waiting(enrolment: Enrolment, found: gates.Offer) -> dict[str, Any] | None:
    told = gates.waiting_document(found)
    if told and found.opens_at:
        told["calendar"] = reverse("read-calendar", args=[enrolment.token])
    return told


def forms_of(study: Study, reader: Any) -> list[dict[str, Any]]:
    """Return by arm what is shown and asked; the training block uses the first."""
    return [
        {"layout": layout_of(study, arm, reader), "questions": questions_of(study, arm)}
        for arm in arms_of(study)
    ]


class _Shown:
    """The cases that the page is told of; what they share is looked up once."""

    def __init__(self, enrolment: Enrolment, found: gates.Offer) -> None:
        readings = [found.current, *found.upcoming] if found.current else []
        self.present = found.current
        self.arms = arms_of(enrolment.study)
        self.stages = parts.stages_of(enrolment, readings)

    def reading(self, reading: Reading, number: int) -> dict[str, Any]:
        """Return what the page is told of a case; ``number`` is the one that its reader sees."""
        return {
            "token": reading.token,
            "form": self._form_of(reading),
            "period": reading.period,
            "position": reading.position,
            "number": number,
            "stage": reading.stage,
            "stages": self.stages[reading.pk],
            "training": reading.period == training.TRAINING_PERIOD,
            "images": {image.slot: image.token for image in reading.images.all()},
        }

    def current(self, part: Part) -> dict[str, Any] | None:
        """Return the present case with its half-filled form and the sealed answers before it."""
        reading = self.present
        if reading is None:
            return None
        steps = parts.earlier_stages(reading)
        earlier = [(one, recording.current_submission(one)) for one in steps]
        sealed = [self._sealed(one, stored) for one, stored in earlier if stored]
        draft = reading.draft
        if draft is None and earlier and earlier[-1][1]:
            draft = {"answers": {}, "viewer": _same_view(earlier[-1][1].body.get("viewer"))}
        told = self.reading(reading, part.number_of(reading))
        return told | {"draft": draft, "sealed": sealed}

    def _sealed(self, reading: Reading, stored: Submission) -> dict[str, Any]:
        return {
            "form": self._form_of(reading),
            "stage": reading.stage,
            "answers": stored.body.get("answers") or {},
        }

    def _form_of(self, reading: Reading) -> int:
        return self.arms.index(reading.arm) if reading.arm in self.arms else 0


def _same_view(viewer: Any) -> dict[str, Any]:
    """Return where the panes stood, for a further look at the case; what was seen starts anew."""
    panes = viewer.items() if isinstance(viewer, dict) else ()
    return {
        role: {**pane, "slices_seen": []}
        for role, pane in panes
        if isinstance(pane, dict) and "slice" in pane
    }


def layout_of(study: Study, arm: str, reader: Any) -> dict[str, Any]:
    """Return the hanging protocol and the geometry that all cases of the study share."""
    form, viewing = study.display_form, study.display
    grids = {slot["role"]: slot for slot in form.slots}
    return {
        "hanging": {"initial": viewing.initial, "allowed": list(viewing.allowed)},
        "slots": [
            {name: grids[slot.role][name] for name in SHOWN_OF_SLOT}
            | {"role": slot.code, "label": slot.label, "place": slot.place}
            | {"sided": grids[slot.role].get("sided", True)}
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
    beside = {"places": study.display.places}
    return [shown_question(question) | beside for question in questions_in(study, arm)]


def _undo(last: Submission | None, current: Reading | None) -> dict[str, Any] | None:
    if last is None or (current is not None and current.reopened_at is not None):
        return None
    left = recording.seconds_left(last)
    if left <= 0 or not gates.is_running(last.reading.enrolment):
        return None
    if recording.is_sealed(last.reading) or withdrawn_at(last.reading) is not None:
        return None
    return {
        "token": last.reading.token,
        "number": parts.number_done(last.reading),
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
