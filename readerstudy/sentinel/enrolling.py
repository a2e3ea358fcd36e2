"""Bring the robot into a study as a reader of its own, and take it out again."""

from __future__ import annotations

import random
import secrets
from typing import Any

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore

from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict
from readerstudy.readers.models import User
from readerstudy.reading import allocation, gates, scheduling
from readerstudy.studies.asking import arms_of
from readerstudy.studies.models import Enrolment, Study, StudyCase

BACKEND = "django.contrib.auth.backends.ModelBackend"


def enrol_robot(*, study: Study, seed: int) -> Enrolment:
    """Enrol a robot without a password and draw its own order over all cases and arms.

    Raises
    ------
    Conflict
        If the study is neither locked nor running.
    """
    with write_transaction():
        robots = study.enrolments.filter(kind=Enrolment.Kind.ROBOT)
        user = User(username=f"sentinel-{secrets.token_hex(8)}", display_name="Leak sentinel")
        user.set_unusable_password()
        user.save()
        enrolment = Enrolment.objects.create(
            study=study, reader=user, code=f"S{robots.count() + 1}", kind=Enrolment.Kind.ROBOT
        )
        if not gates.is_running(enrolment):
            raise Conflict("The sentinel walks a study that is locked or running.")
        rows = order_of(study, enrolment.code, seed)
        scheduling.store_rows(study, {enrolment.code: enrolment}, rows)
        audit.record(
            actor=None,
            action="sentinel.enrol",
            target=f"study {study.pk}",
            new={"robot": user.pk, "readings": len(rows), "seed": seed},
        )
    return enrolment


def order_of(study: Study, reader: str, seed: int) -> list[allocation.Row]:
    """Return every item of the study once in every arm, training cases too, in random order."""
    drawn = random.Random(seed)
    items = [item for phase in StudyCase.Phase.values for item in scheduling.items_of(study, phase)]
    shown = [(item, arm) for arm in arms_of(study) for item in items]
    drawn.shuffle(shown)
    return [
        allocation.Row(
            reader=reader,
            period=1,
            position=position,
            item=item.key,
            arm=arm,
            sides=tuple(drawn.sample(range(item.places), item.places)),
        )
        for position, (item, arm) in enumerate(shown, start=1)
    ]


def sign_in(robot: User) -> SessionBase:
    """Return a session of the robot, which has no password to sign in with."""
    session = SessionStore()
    session[SESSION_KEY] = str(robot.pk)
    session[BACKEND_SESSION_KEY] = BACKEND
    session[HASH_SESSION_KEY] = robot.get_session_auth_hash()
    with write_transaction():
        session.create()
    return session


def retire(*, study: Study, session: SessionBase | None = None) -> None:
    """End the session and switch off the accounts of all robots of a study; their rows stay."""
    with write_transaction():
        if session is not None:
            session.delete()
        robots: Any = study.enrolments.filter(kind=Enrolment.Kind.ROBOT).values("reader")
        User.objects.filter(pk__in=robots).update(is_active=False)
