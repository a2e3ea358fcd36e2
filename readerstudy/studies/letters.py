"""E-mails to readers: plain texts with the study's own words, each on record.

The texts name the title for readers and nothing else of the study. A letter is put on record
before it is handed to the mail system, so that a crash cannot send it twice.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.utils import timezone

from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import ReaderStudyError
from readerstudy.studies.models import Enrolment, Letter, Study

log = logging.getLogger(__name__)
Kind = Letter.Kind
LIMIT = 2000
LEAST_DAYS = 7  # between two reminders to one reader
SUBJECTS = {
    Kind.INVITATION: "Invitation to read: {}",
    Kind.REMINDER: "Cases to read: {}",
}


def texts_of(study: Study) -> dict[str, Any]:
    """Return the study's own words in its letters and how often the schedule reminds."""
    stored = study.letters or {}
    return {
        "invitation": stored.get("invitation", ""),
        "reminder": stored.get("reminder", ""),
        "remind_every_days": stored.get("remind_every_days", LEAST_DAYS),
    }


def set_texts(
    *, study: Study, invitation: str, reminder: str, remind_every_days: int, actor: Any
) -> None:
    """Change the study's own words and the schedule; 0 days: reminders by hand alone."""
    if remind_every_days and remind_every_days < LEAST_DAYS:
        raise ReaderStudyError(f"Reminders are sent every {LEAST_DAYS} days at most, or never.")
    if max(len(invitation), len(reminder)) > LIMIT:
        raise ReaderStudyError(f"The words of a letter have at most {LIMIT} characters.")
    with write_transaction():
        study = Study.objects.select_for_update().get(pk=study.pk)
        old = texts_of(study)
        study.letters = {
            "invitation": invitation.strip(),
            "reminder": reminder.strip(),
            "remind_every_days": remind_every_days,
        }
        study.save(update_fields=("letters",))
        audit.record(
            actor=actor,
            action="study.set_letters",
            target=f"study {study.pk}",
            old=old,
            new=study.letters,
        )


def may_remind_again(enrolment: Enrolment, days: int = LEAST_DAYS) -> bool:
    """Was the last reminder to this reader long enough ago?"""
    since = timezone.now() - timedelta(days=days)
    return not enrolment.letters.filter(kind=Kind.REMINDER, at__gt=since).exists()


def send(
    *, enrolment: Enrolment, kind: str, actor: Any = None, shown: Mapping[str, Any] | None = None
) -> Letter:
    """Put a letter on record, hand it to the mail system, and note whether that took it."""
    study, person = enrolment.study, enrolment.reader
    context = {
        "name": str(person),
        "title": study.reader_title,
        "own": texts_of(study)[kind],
        "address": settings.PUBLIC_URL,
        **(shown or {}),
    }
    with write_transaction():
        letter = Letter.objects.create(
            enrolment=enrolment, kind=kind, sent_by=actor, handed_over=False
        )
        audit.record(
            actor=actor,
            action=f"letter.{kind}",
            target=f"study {study.pk}",
            new={"reader": enrolment.code},
        )
    letter.handed_over = _hand_over(
        subject=SUBJECTS[Kind(kind)].format(study.reader_title),
        text=render_to_string(f"letters/{kind}.txt", context),
        to=person.email,
    )
    with write_transaction():
        letter.save(update_fields=("handed_over",))
    return letter


def _hand_over(*, subject: str, text: str, to: str) -> bool:
    try:
        send_mail(subject=subject, message=text, from_email=None, recipient_list=[to])
    except OSError:
        log.exception("a letter could not be mailed")
        return False
    return True
