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
from django.db.models import Max
from django.template.loader import render_to_string
from django.utils import timezone

from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import ReaderStudyError
from readerstudy.studies.models import Enrolment, Letter, LetterVersion, Study

log = logging.getLogger(__name__)
Kind = Letter.Kind
LIMIT = 2000
LINK = "(personal link, not kept)"
LEAST_DAYS = 7  # between two reminders to one reader
SUBJECTS = {
    Kind.INVITATION: "Invitation to read: {}",
    Kind.OPENING: "Open for reading: {}",
    Kind.REMINDER: "Cases to read: {}",
}


def texts_of(study: Study) -> dict[str, Any]:
    """Return the study's own words in its letters and how often the schedule reminds."""
    stored = study.letters or {}
    return {
        **{kind.value: stored.get(kind.value, "") for kind in Kind},
        "remind_every_days": stored.get("remind_every_days", LEAST_DAYS),
    }


def set_texts(
    *,
    study: Study,
    invitation: str,
    reminder: str,
    remind_every_days: int,
    actor: Any,
    opening: str = "",
) -> None:
    """Change the study's own words and the schedule; 0 days: reminders by hand alone.

    Changed words are a new version of that letter; what was sent stays as it was sent.
    """
    if remind_every_days and remind_every_days < LEAST_DAYS:
        raise ReaderStudyError(f"Reminders are sent every {LEAST_DAYS} days at most, or never.")
    words = {Kind.INVITATION: invitation, Kind.OPENING: opening, Kind.REMINDER: reminder}
    if max(map(len, words.values())) > LIMIT:
        raise ReaderStudyError(f"The words of a letter have at most {LIMIT} characters.")
    with write_transaction():
        study = Study.objects.select_for_update().get(pk=study.pk)
        old = texts_of(study)
        new: dict[str, Any] = {kind.value: _clean(text) for kind, text in words.items()}
        for kind in (one for one in Kind if new[one.value] != old[one.value]):
            _store_version(study, kind, former=old[kind.value], text=new[kind.value], actor=actor)
        study.letters = {**new, "remind_every_days": remind_every_days}
        study.save(update_fields=("letters",))
        audit.record(
            actor=actor,
            action="study.set_letters",
            target=f"study {study.pk}",
            old=old,
            new=study.letters,
        )


def _clean(text: str) -> str:
    """Return a text without the line ends that browsers send, which are no change."""
    return text.replace("\r\n", "\n").strip()


def _store_version(study: Study, kind: str, *, former: str, text: str, actor: Any) -> None:
    """Keep the new words, and before them those that no version holds yet."""
    versions = LetterVersion.objects.filter(study=study, kind=kind)
    if not versions.exists():
        LetterVersion.objects.create(study=study, kind=kind, version=1, text=former)
    number = version_of(study, kind) + 1
    LetterVersion.objects.create(study=study, kind=kind, version=number, text=text, actor=actor)


def version_of(study: Study, kind: str) -> int:
    """Return the version of the own words that a letter of this kind has now."""
    last = LetterVersion.objects.filter(study=study, kind=kind).aggregate(last=Max("version"))
    return last["last"] or 1


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
    subject = SUBJECTS[Kind(kind)].format(study.reader_title)
    with write_transaction():
        letter = Letter.objects.create(
            enrolment=enrolment,
            kind=kind,
            version=version_of(study, kind),
            subject=subject,
            text=_text(kind, {**context, "link": LINK if context.get("link") else None}),
            sent_by=actor,
            handed_over=False,
        )
        audit.record(
            actor=actor,
            action=f"letter.{kind}",
            target=f"study {study.pk}",
            new={"reader": enrolment.code, "version": letter.version},
        )
    letter.handed_over = _hand_over(subject=subject, text=_text(kind, context), to=person.email)
    with write_transaction():
        letter.save(update_fields=("handed_over",))
    return letter


def _text(kind: str, context: dict[str, Any]) -> str:
    return render_to_string(f"letters/{kind}.txt", context)


def _hand_over(*, subject: str, text: str, to: str) -> bool:
    try:
        send_mail(subject=subject, message=text, from_email=None, recipient_list=[to])
    except OSError:
        log.exception("a letter could not be mailed")
        return False
    return True
