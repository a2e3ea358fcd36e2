"""A dry run leaves the study alone, tells nothing of it, and can be thrown away."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from readerstudy.cases import storage
from readerstudy.core import audit
from readerstudy.core.errors import NotFound, ReaderStudyError
from readerstudy.reading.models import EncodedSeries, PeriodOpening, Reading
from readerstudy.rehearsal import cloning, discarding, running, starting, time_travel
from readerstudy.rehearsal.models import Rehearsal
from readerstudy.studies.access import find_study, studies_of
from readerstudy.studies.models import Enrolment, Study
from readerstudy.truth.visibility import is_blinded
from tests import scenario
from tests.rehearsal.studies import draft_of
from tests.tampering import unguarded

pytestmark = pytest.mark.django_db(transaction=True)


def rehearsed(study, live_server, **settings) -> running.Outcome:
    settings = {"readers": 2, "seed": "s", "actor": study.created_by, **settings}
    rehearsal = starting.note_rehearsal(study=study, **settings)
    return running.run(rehearsal=rehearsal, url=live_server.url, progress=lambda *_: None)


def test_the_same_seed_gives_the_same_answers_and_images_are_taken_over(live_server):
    made = scenario.running()
    encoded = EncodedSeries.objects.filter(study=made.study).count()
    first, second = (rehearsed(made.study, live_server) for _ in range(2))

    def given(outcome):
        return {
            (ledger.reader, entry.position): entry.answers
            for ledger in outcome.ledgers
            for entry in ledger.entries.values()
        }

    assert given(first) == given(second)
    objects = [
        set(map(str, EncodedSeries.objects.filter(study=s).values_list("objects_by_encoding")))
        for s in (made.study, first.data.study, second.data.study)
    ]
    assert objects[0] == objects[1] == objects[2]
    assert EncodedSeries.objects.filter(study=made.study).count() == encoded
    assert not Reading.objects.filter(enrolment__study=made.study, completed_at__isnull=False)


def test_a_dry_run_stands_in_no_list_and_blinds_no_case(live_server):
    study = draft_of("visual-turing-test")
    clone = rehearsed(study, live_server).data.study
    coordinator = study.created_by
    assert list(studies_of(coordinator)) == [study]
    with pytest.raises(NotFound):
        find_study(str(clone.pk))
    browser = Client()
    browser.force_login(coordinator)
    assert browser.get(reverse("study", args=[clone.pk])).status_code == 404
    assert clone.name not in browser.get(reverse("studies")).content.decode()
    coordinator.is_superuser = True
    coordinator.save()
    assert browser.get(reverse("study", args=[clone.pk])).status_code == 404
    assert not is_blinded(study.cases.first())
    for enrolment in clone.enrolments.select_related("reader"):
        assert not enrolment.reader.has_usable_password()
    assert list(audit.broken_links()) == []


def members(archive: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    """Yield every member; of workbooks the sheets as well."""
    for name in archive.namelist():
        content = archive.read(name)
        yield name, content
        if name.endswith(".xlsx"):
            with zipfile.ZipFile(io.BytesIO(content)) as inner:
                yield f"{name}: all", b"".join(inner.read(one) for one in inner.namelist())


def test_the_export_to_take_away_tells_nothing_of_the_cases(live_server):
    made = scenario.running()
    run = rehearsed(made.study, live_server).rehearsal
    with storage.open_verified(run.archive) as stored:
        archive = zipfile.ZipFile(io.BytesIO(stored.read()))
    contents = dict(members(archive))
    texts = {name: one.decode() for name, one in contents.items() if ".xlsx" not in name}
    rows = list(csv.DictReader(io.StringIO(texts["simulated_reads_long.csv"])))
    codes = set(made.study.cases.values_list("code", flat=True))
    subjects = set(made.study.cases.values_list("subject__code", flat=True))
    assert rows
    assert not {row["case"] for row in rows} & codes
    assert not {row["item"] for row in rows} & codes
    assert not {row["subject"] for row in rows} & subjects
    named = codes | subjects | set(made.study.cases.values_list("subject__source_key", flat=True))
    for name, content in contents.items():
        # Codes are digits: as words, not within another number.
        words = set(re.split(rb"[^0-9A-Za-z.]+", content))
        assert not [code for code in named if code.encode() in words], name
    assert not [name for name in texts if "certificate" in name or "protocol" in name]
    assert "SIMULATED" in texts["README.txt"]
    assert json.loads(texts["simulated.json"])["simulated"] is True


def test_a_dry_run_can_be_discarded_and_its_result_stays(live_server):
    study = draft_of("image-quality")
    run = rehearsed(study, live_server).rehearsal
    clone = run.clone_id
    discarding.discard(rehearsal=run, actor=study.created_by, reason="Done")
    assert not Study.objects.filter(pk=clone).exists()
    assert not Reading.objects.exists()
    assert not Enrolment.objects.exists()
    kept = Rehearsal.objects.get(pk=run.pk)
    assert kept.result["verification"]["is_whole"]
    assert kept.discarded_at is not None
    assert list(audit.broken_links()) == []


def test_a_real_study_can_not_be_handled_as_a_dry_run():
    made = scenario.running()
    enrolment = made.enrolment()
    PeriodOpening.objects.create(enrolment=enrolment, period=2, opens_at="2999-01-01T00:00Z")
    with pytest.raises(ReaderStudyError, match="real study"):
        time_travel.pass_washout(enrolment=enrolment)
    with pytest.raises(ReaderStudyError, match="real study"):
        cloning.open_reading(
            clone=made.study, actor=made.coordinator, seed="s", progress=lambda *_: None
        )
    assert PeriodOpening.objects.get().opens_at.year == 2999


def test_a_washout_is_waited_for_in_virtual_days_alone(live_server):
    outcome = rehearsed(draft_of("wang2023-added-value"), live_server)
    assert [reader["days_waited"] for reader in outcome.rehearsal.result["readers"]] == [28, 28]
    assert [one["period"] for one in outcome.rehearsal.result["periods"]] == [1, 2]


def test_a_simulated_reader_has_no_display_to_check(live_server, settings):
    settings.DISPLAY_CHECK = "required"
    outcome = rehearsed(draft_of("visual-turing-test"), live_server)
    assert outcome.rehearsal.result["verification"]["is_whole"]


def test_an_interrupted_dry_run_begins_again(live_server):
    study = draft_of("visual-turing-test")
    rehearsal = starting.note_rehearsal(study=study, readers=2, actor=study.created_by)
    cloning.clone_for_rehearsal(rehearsal=rehearsal, actor=study.created_by)
    running.run(rehearsal=rehearsal, url=live_server.url, progress=lambda *_: None)
    assert rehearsal.result["verification"]["is_whole"]
    assert Study.objects.filter(rehearsal_of=study).count() == 1


def test_without_a_reference_standard_a_draw_stands_in(live_server):
    study = draft_of("calabrese2021")
    from readerstudy.truth.models import ReferenceStandard

    with unguarded():
        ReferenceStandard.objects.all().delete()
    result = rehearsed(study, live_server).rehearsal.result
    assert result["drawn_truth"] == ["enhancement", "grade"]
    assert result["verification"]["is_whole"]


def test_the_command_tells_what_came_out(live_server, capsys):
    study = draft_of("two-alternatives")
    call_command(
        "simulate_study", study.name, readers=2, seed="s", url=live_server.url, assume=["dprime=2"]
    )
    told = capsys.readouterr().out
    assert "0 lost, 0 doubled, 0 changed" in told
    assert "Right choices between real and synthetic" in told
