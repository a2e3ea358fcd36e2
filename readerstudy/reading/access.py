"""The only door to a reading: everything starts from the signed-in user and an opaque token.

Whoever is not the reader concerned, or comes at the wrong stage, gets the same 404.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from readerstudy.core.errors import NotFound
from readerstudy.reading import gates
from readerstudy.reading.models import Reading, ReadingImage
from readerstudy.reading.planned import is_in_use
from readerstudy.studies.models import Enrolment, Study

READABLE = (Study.State.RUNNING, Study.State.CLOSED, Study.State.UNBLINDED)


def access_enrolment(*, token: str, user: Any) -> Enrolment:
    """Return the user's own enrolment in a study that was launched."""
    enrolment = (
        Enrolment.objects.select_related("study", "reader")
        .filter(token=token, reader=user)
        .filter(Q(study__state__in=READABLE) | ~Q(kind=Enrolment.Kind.READER))
        .exclude(kind=Enrolment.Kind.ADJUDICATOR)
        .first()
    )
    if enrolment is None:
        raise NotFound("There is no such reading among yours.")
    return enrolment


def access_reading(*, enrolment: Enrolment, token: str) -> Reading:
    """Return a reading that was offered to this reader."""
    reading = enrolment.readings.filter(token=token, offered_at__isnull=False).first()
    if reading is None:
        raise NotFound("There is no such reading among yours.")
    return reading


def access_image(*, token: str, user: Any) -> ReadingImage:
    """Return an image of the present or the next case of this reader, and of no other."""
    image = (
        ReadingImage.objects.select_related("reading__enrolment__study")
        .filter(
            token=token,
            reading__enrolment__reader=user,
            reading__offered_at__isnull=False,
        )
        .filter(is_in_use("reading__"))
        .first()
    )
    if image is None or not (is_open(image.reading) and gates.is_running(image.reading.enrolment)):
        raise NotFound("There is no such image.")
    return image


def is_open(reading: Reading) -> bool:
    """May this reading be looked at now: not answered yet, or re-opened for a correction?"""
    return reading.completed_at is None or reading.reopened_at is not None
