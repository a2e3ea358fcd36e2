"""A reader states the own profile; agreement studies must report it (GRRAS item 12)."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import ReaderStudyError
from readerstudy.readers.models import ReaderProfile

INSTITUTIONS = dict(ReaderProfile._meta.get_field("institution").choices or [])


def state_profile(
    *, user: Any, subspecialty: str, years_of_experience: int, institution: str
) -> ReaderProfile:
    """Store what a reader says of the own experience."""
    if institution not in INSTITUTIONS:
        raise ReaderStudyError("Choose the kind of institution you work in.")
    if not subspecialty.strip():
        raise ReaderStudyError("State your subspecialty, such as neuroradiology.")
    if not 0 <= years_of_experience <= 70:
        raise ReaderStudyError("Years of experience lie between 0 and 70.")
    with write_transaction():
        profile, _ = ReaderProfile.objects.select_for_update().get_or_create(user=user)
        old = _stated(profile)
        profile.subspecialty = subspecialty.strip()
        profile.years_of_experience = years_of_experience
        profile.institution = institution
        profile.confirmed_at = timezone.now()
        profile.save()
        audit.record(
            actor=user,
            action="reader.state_profile",
            target=f"user {user.pk}",
            old=old,
            new=_stated(profile),
        )
    return profile


def _stated(profile: ReaderProfile) -> dict[str, Any]:
    names = ("subspecialty", "years_of_experience", "institution")
    return {name: getattr(profile, name) for name in names}


def is_complete(profile: ReaderProfile | None) -> bool:
    """Is everything known that a report must say of a reader?"""
    return bool(
        profile
        and profile.subspecialty
        and profile.years_of_experience is not None
        and profile.institution
    )
