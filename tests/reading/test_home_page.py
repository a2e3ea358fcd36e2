"""The reader's first page: what to do now, and nothing about others or about the comparison."""

from __future__ import annotations

import uuid

import pytest
from django.urls import reverse

from readerstudy.readers import profiles
from readerstudy.reading import home, progress, recording, training
from readerstudy.reading.models import Reading
from readerstudy.studies import lifecycle
from tests import scenario
from tests.factories import (
    CoordinatorFactory,
    ReaderFactory,
    body,
    locked_study,
    ready_study,
    running_study,
)
from tests.reading.test_designs import answer as read_one
from tests.reading.test_designs import crossover, training_study
from tests.tampering import unguarded

pytestmark = pytest.mark.django_db


def answer(enrolment, count: int, seconds: float = 20.0) -> None:
    """Read the next cases, each in so many seconds."""
    for _ in range(count):
        token = progress.state_of(enrolment)["reading"]["token"]
        reading = Reading.objects.get(token=token)
        recording.submit(reading=reading, key=str(uuid.uuid4()), body=body(seconds))


@pytest.fixture
def study():
    return running_study(n_each=3, reader_title="Brain MR reading A")


@pytest.fixture
def enrolment(study, client):
    enrolment = study.enrolments.get(code="R1")
    client.force_login(enrolment.reader)
    return enrolment


def text_of(client) -> str:
    """The page with every space, narrow ones too, as one plain space."""
    return " ".join(client.get(reverse("home")).content.decode().split())


def test_a_study_that_was_not_begun(client, enrolment):
    text = text_of(client)
    assert "0 of 6 read. 6 to go. Your pace is shown after the first case." in text
    assert ">Begin</a>" in text
    assert reverse("read", args=[enrolment.token]) in text


def test_a_study_half_read_tells_how_long_it_takes_at_the_own_pace(client, enrolment):
    answer(enrolment, 2, seconds=45)
    text = text_of(client)
    assert "2 of 6 read. 4 to go" in text
    assert "about 3 min" in text  # 4 cases of 45 s
    assert "at your pace of 45 s a case" in text
    assert "Continue at case 3" in text
    assert "20 minutes" not in text  # all of it takes less


def test_a_long_study_tells_what_fits_into_a_sitting(client, enrolment):
    answer(enrolment, 2, seconds=500)
    assert "20 minutes are enough for about 2 cases" in text_of(client)


def test_a_study_that_is_read(client, enrolment):
    answer(enrolment, 6)
    text = text_of(client)
    assert "All 6 cases are read. Thank you." in text
    assert reverse("read", args=[enrolment.token]) not in text


@pytest.mark.parametrize("make", [ready_study, locked_study])
def test_a_study_before_its_launch(client, make):
    enrolment = make().enrolments.get(code="R1")
    client.force_login(enrolment.reader)
    text = text_of(client)
    assert "Not yet open" in text
    assert "when its coordinator opens it" in text
    assert enrolment.token not in text


def test_a_closed_study(client, study, enrolment):
    answer(enrolment, 1)
    lifecycle.close(study=study, actor=study.created_by, reason="Enough")
    text = text_of(client)
    assert "Closed on" in text
    assert "1 of 6 read. Thank you." in text


def test_a_reader_without_studies(client):
    client.force_login(ReaderFactory())
    assert "No studies yet" in text_of(client)


def test_the_page_names_neither_the_study_nor_other_readers(client, study, enrolment):
    other = study.enrolments.get(code="R2").reader
    text = text_of(client)
    assert "Brain MR reading A" in text
    for secret in (study.name, str(other), other.email, str(study.pk), "toy"):
        assert secret not in text


def test_what_can_be_read_comes_first(study, enrolment):
    later = locked_study()
    with unguarded():
        later.enrolments.filter(code="R1").update(reader=enrolment.reader)
    open_one = running_study()
    with unguarded():
        open_one.enrolments.filter(code="R1").update(reader=enrolment.reader)
    lifecycle.close(study=study, actor=study.created_by, reason="Enough")
    phases = [entry.phase for entry in home.entries_of(enrolment.reader)]
    assert phases == ["open", "waiting", "closed"]


def test_the_last_receipt_is_the_own(client, study, enrolment):
    answer(study.enrolments.get(code="R2"), 1)
    assert "No answer was received from you yet" in text_of(client)
    answer(enrolment, 1)
    assert "Last receipt" in text_of(client)


def test_a_coordinator_who_also_reads_finds_the_own_reading(client, study):
    both = CoordinatorFactory()
    with unguarded():
        study.enrolments.filter(code="R1").update(reader=both)
    client.force_login(both)
    assert client.get(reverse("home")).url == reverse("studies")
    assert "0 of 6 read" in client.get(reverse("reader-home")).content.decode()


def test_the_page_is_not_kept_by_the_browser(client, enrolment):
    assert "no-store" in client.get(reverse("home"))["Cache-Control"]


def test_the_reading_page_is_empty_but_for_its_addresses(client, study, enrolment):
    response = client.get(reverse("read", args=[enrolment.token]))
    text = response.content.decode()
    assert "<title>Brain MR reading A</title>" in text
    assert f'data-enrolment="{enrolment.token}"' in text
    assert 'data-signed-in-as="R1"' in text
    assert "csrftoken" in response.cookies
    assert study.name not in text


def test_the_reading_page_of_another_reader_is_not_found(client, study, enrolment):
    other = study.enrolments.get(code="R2")
    assert client.get(reverse("read", args=[other.token])).status_code == 404


def test_the_reading_page_opens_with_the_launch(client):
    enrolment = locked_study().enrolments.get(code="R1")
    client.force_login(enrolment.reader)
    assert client.get(reverse("read", args=[enrolment.token])).status_code == 404


def test_a_washout_is_told_as_date_and_days(client):
    made = crossover(washout_days=28)
    for _ in range(6):
        read_one(made.enrolment())
    client.force_login(made.readers[0])
    text = text_of(client)
    assert "Period 2 opens" in text
    assert "in 28 days. The break between the periods is fixed by the protocol." in text
    assert "Not yet open" in text
    assert "aided" not in text


def test_the_result_of_the_training_is_told(client):
    made = training_study(qualification=0.9)
    client.force_login(made.readers[0])
    assert "First 2 training cases with feedback; 90 % right" in text_of(client)
    for _ in range(2):
        right = training._right_answers(scenario.offer(made.enrolment()))["origin"]
        read_one(made.enrolment(), origin="synthetic" if right == "real" else "real")
    text = text_of(client)
    assert "0 % of the answers were right, 90 % are needed" in text
    assert reverse("read", args=[made.enrolment().token]) not in text


def test_an_incomplete_profile_is_asked_for(client, enrolment):
    assert "Your profile is not complete." in text_of(client)
    profiles.state_profile(
        user=enrolment.reader,
        subspecialty="Neuroradiology",
        years_of_experience=9,
        institution="university",
    )
    assert "Your profile is not complete." not in text_of(client)
