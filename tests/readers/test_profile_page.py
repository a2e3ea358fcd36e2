"""A reader states the own profile, and reports may rest on it."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from readerstudy.core.models import AuditRecord
from readerstudy.readers import profiles
from readerstudy.readers.models import ReaderProfile
from tests.factories import ReaderFactory

pytestmark = pytest.mark.django_db
STATED = {
    "subspecialty": "Neuroradiology",
    "years_of_experience": "12",
    "institution": "university",
}


@pytest.fixture
def reader(client):
    reader = ReaderFactory()
    client.force_login(reader)
    return reader


def test_a_profile_is_stated_and_recorded(client, reader):
    assert not profiles.is_complete(reader.profile)
    assert client.post(reverse("profile"), STATED).url == reverse("reader-home")
    profile = ReaderProfile.objects.get(user=reader)
    assert profiles.is_complete(profile)
    assert (profile.years_of_experience, profile.institution) == (12, "university")
    assert timezone.now() >= profile.confirmed_at
    record = AuditRecord.objects.get(action="reader.state_profile")
    assert record.old["years_of_experience"] == 9
    assert record.new["years_of_experience"] == 12


@pytest.mark.parametrize(
    "changes", [{"institution": ""}, {"years_of_experience": "90"}, {"subspecialty": " "}]
)
def test_what_is_missing_is_told_in_place(client, reader, changes):
    response = client.post(reverse("profile"), {**STATED, **changes})
    assert response.status_code == 400
    assert set(response.context["form"].errors) == set(changes)
    assert ReaderProfile.objects.get(user=reader).confirmed_at is None
