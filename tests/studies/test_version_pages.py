"""Versions, copies, the archive and the register of deviations, as their pages show them."""

from __future__ import annotations

import datetime
import uuid

import pytest
from django.urls import reverse

from readerstudy.core.errors import Conflict
from readerstudy.core.models import AuditRecord
from readerstudy.reading import amending, progress, recording
from readerstudy.reading.models import Reading, Submission
from readerstudy.studies import cloning, deviations, lifecycle
from readerstudy.studies.amending import Wanted
from readerstudy.studies.differences import Piece, pieces
from readerstudy.studies.lifecycle import protocol_of
from readerstudy.studies.models import Membership, Study
from tests.factories import UserFactory, body, ready_study, running_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def study(client):
    study = running_study(name="GAN against real")
    client.force_login(study.created_by)
    return study


def page(study, name: str, *rest: str) -> str:
    return reverse(name, args=[study.pk, *rest])


def test_a_difference_is_told_word_by_word():
    assert pieces("Read all cases", "Read some cases") == [
        Piece("same", "Read "),
        Piece("out", "all "),
        Piece("in", "some "),
        Piece("same", "cases"),
    ]
    assert pieces("It is closed.", "It is closed.\n\nNew.") == [
        Piece("same", "It is closed.\n\n"),
        Piece("in", "New."),
    ]
    assert pieces("", "New") == [Piece("in", "New")]
    assert pieces("a", "a") == [Piece("same", "a")]


def test_an_amendment_from_its_page_to_the_reader_and_back(client, study):
    form = client.get(page(study, "study-amend")).context["form"]
    sent = {name: form[name].value() or "" for name in form.fields}
    response = client.post(
        page(study, "study-amend"), {**sent, "instructions": "Use the grey scale.", "reason": "v"}
    )
    assert response.url == page(study, "study-versions")
    enrolment = study.readers.first()
    client.force_login(enrolment.reader)
    changes = reverse("read-changes", args=[enrolment.token])
    assert client.get(reverse("read", args=[enrolment.token])).url == changes
    told = client.get(changes).content.decode()
    assert "Use the grey scale." in told
    assert "GAN against real" not in told
    assert client.post(changes).url == reverse("read", args=[enrolment.token])
    assert client.get(reverse("read", args=[enrolment.token])).status_code == 200
    client.force_login(study.created_by)
    text = client.get(page(study, "study-versions")).content.decode()
    assert "Acknowledged by R1." in text
    assert "grey scale.</ins>" in text


def test_a_reader_is_not_told_what_does_not_concern_readers(client, study):
    amending.amend(
        study=study,
        wanted=Wanted(margin=0.2, instructions="New"),
        reason="Secret reason",
        actor=study.created_by,
    )
    enrolment = study.readers.first()
    client.force_login(enrolment.reader)
    told = client.get(reverse("read-changes", args=[enrolment.token])).content.decode()
    assert "margin" not in told
    assert "Secret reason" not in told


def test_an_amendment_of_a_closed_study_is_refused_in_words(client, study):
    lifecycle.close(study=study, actor=study.created_by, reason="Done")
    form = client.get(page(study, "study-amend")).context["form"]
    sent = {name: form[name].value() or "" for name in form.fields}
    response = client.post(page(study, "study-amend"), {**sent, "reason": "Too late"})
    assert response.status_code == 409
    assert "must be locked or running" in response.content.decode()


def test_a_clone_has_the_design_and_nothing_else(client, study):
    response = client.post(page(study, "study-clone"), {"name": "Second round", "with_cases": "on"})
    clone = Study.objects.get(cloned_from=study)
    assert response.url == reverse("study", args=[clone.pk])
    assert (clone.state, clone.protocol, clone.locked_at) == ("draft", None, None)
    assert not clone.enrolments.exists()
    assert not Reading.objects.filter(enrolment__study=clone).exists()
    assert [m.user for m in clone.memberships.all()] == [study.created_by]
    own = ("study", "name", "readers")
    old, new = protocol_of(study), protocol_of(clone)
    assert {k: v for k, v in new.items() if k not in own} == {
        k: v for k, v in old.items() if k not in own
    }


def test_a_clone_with_readers_gives_new_codes_and_tokens(study):
    clone = cloning.clone_study(
        study=study, name="Again", actor=study.created_by, with_cases=False, with_readers=True
    )
    assert [e.reader for e in clone.readers] == [e.reader for e in study.readers]
    old = set(study.readers.values_list("token", flat=True))
    assert not old & set(clone.readers.values_list("token", flat=True))
    assert not clone.study_cases.exists()


def test_an_archived_study_leaves_the_list_and_nothing_else(client):
    study = ready_study(name="Old pilot")
    client.force_login(study.created_by)
    assert client.post(page(study, "study-archive"), {"reason": "Pilot"}).status_code == 302
    assert "Old pilot" not in client.get(reverse("studies")).content.decode()
    assert "Old pilot" in client.get(f"{reverse('studies')}?archived").content.decode()
    assert client.get(page(study, "study")).status_code == 200
    client.post(page(study, "study-archive"), {"reason": "Needed after all"})
    assert "Old pilot" in client.get(reverse("studies")).content.decode()
    actions = AuditRecord.objects.values_list("action", flat=True)
    assert {"study.archive", "study.unarchive"} <= set(actions)


def test_a_running_study_is_not_archived(client, study):
    assert client.post(page(study, "study-archive"), {"reason": "x"}).status_code == 409
    with pytest.raises(Conflict, match="Close it first"):
        lifecycle.archive(study=study, actor=study.created_by, reason="x")


def test_deviations_are_listed_with_who_when_and_why(client, study):
    enrolment = study.readers.first()
    token = progress.state_of(enrolment)["reading"]["token"]
    amending.amend(
        study=study, wanted=Wanted(margin=0.2), reason="Reviewer", actor=study.created_by
    )
    lifecycle.close(study=study, actor=study.created_by, reason="Done")
    recording.submit(reading=Reading.objects.get(token=token), key=str(uuid.uuid4()), body=body())
    sent = {"text": "Read on a laptop", "happened_on": "2026-01-02", "code": "R2", "reason": "Ill"}
    assert client.post(page(study, "study-deviations"), sent).status_code == 302
    found = deviations.deviations_of(study)
    assert [(e.kind, e.reader) for e in found] == [
        ("recorded", "R2"),
        ("amendment", ""),
        ("late answer", "R1"),
    ]
    text = client.get(page(study, "study-deviations")).content.decode()
    assert "Read on a laptop" in text
    assert "closed before this answer arrived" in text


def test_a_deviation_of_tomorrow_is_refused(client, study):
    tomorrow = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=1)
    sent = {"text": "x", "happened_on": tomorrow.isoformat(), "code": "", "reason": ""}
    assert client.post(page(study, "study-deviations"), sent).status_code == 400
    assert not study.deviations.exists()


def test_an_auditor_reads_deviations_and_records_none(client, study):
    auditor = UserFactory()
    Membership.objects.create(study=study, user=auditor, role="auditor")
    client.force_login(auditor)
    assert client.get(page(study, "study-deviations")).status_code == 200
    sent = {"text": "x", "happened_on": "2026-01-02", "code": "", "reason": ""}
    assert client.post(page(study, "study-deviations"), sent).status_code == 403


def test_the_preview_reads_as_a_reader_and_counts_nowhere(client, study):
    response = client.post(page(study, "study-preview"))
    preview = study.enrolments.get(kind="preview")
    assert response.url == reverse("read", args=[preview.token])
    assert client.get(response.url).status_code == 200
    while (shown := progress.state_of(preview)["reading"]) is not None:
        reading = Reading.objects.get(token=shown["token"])
        recording.submit(reading=reading, key=str(uuid.uuid4()), body=body())
    from readerstudy.reading import board, listing, scheduling

    figures = board.board_of(study)
    assert (figures.done, figures.total, figures.last_receipt) == (0, 8, None)
    (listed,) = listing.studies_for(study.created_by)
    assert (listed.study.n_readers, listed.study.n_done) == (2, 0)
    assert {row[0] for row in scheduling.certificate(study)["table"]} == {"R1", "R2"}
    assert Submission.objects.filter(reading__enrolment=preview).count() == 4
    actions = AuditRecord.objects.filter(action__endswith=".accepted")
    assert set(actions.values_list("action", flat=True)) == {"preview.accepted"}
    assert client.post(page(study, "study-preview")).status_code == 302
    assert study.enrolments.filter(kind="preview").count() == 2
