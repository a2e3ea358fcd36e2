"""From a search to cases: the command, the job and the pages, and what they leave behind."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import reverse

from readerstudy.cases import canonical
from readerstudy.cases.models import Case, Subject
from readerstudy.core import jobs
from readerstudy.core.models import AuditRecord, Job
from readerstudy.intake import folders
from readerstudy.intake.models import Import
from readerstudy.truth.models import Origin
from tests.factories import CoordinatorFactory
from tests.intake import dicomweb_running as running
from tests.intake.dicomweb_running import FLAIR, STUDY_A, STUDY_B, T1, T2, TOKEN, set_fault

pytestmark = pytest.mark.django_db
PLANTED = ("SEC^RET-17", "Planted", "ACC 1", STUDY_A)


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    return running.archive(tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="module")
def running_server(archive):
    with running.small_server(archive, token=TOKEN) as server:
        yield server


@pytest.fixture
def server(running_server, settings):
    settings.DICOMWEB_SERVERS = {"small": running_server}
    settings.INTAKE_FREE_BYTES = 0
    set_fault(running_server, "", 0)
    return running_server


@pytest.fixture
def coordinator(client):
    user = CoordinatorFactory()
    client.force_login(user)
    return user


def run(*arguments: str) -> tuple[int, list[dict]]:
    out = io.StringIO()
    code = 0
    try:
        call_command("import_dicomweb", "small", *arguments, "--json", stdout=out)
    except SystemExit as end:
        code = int(end.code or 0)
    return code, json.loads(out.getvalue())


def planted_in_the_database() -> list[str]:
    """Return which planted identifiers any column of any table holds."""
    found = set()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            text = repr(cursor.fetchall())
            found |= {word for word in PLANTED if word in text}
    return sorted(found)


def files_left() -> list[str]:
    root = Path(django_settings.WORK_ROOT)
    return [path.name for path in root.rglob("*.dcm")]


def test_an_exam_becomes_one_case_with_its_series(server, archive):
    code, outcomes = run("--study-uid", STUDY_A)
    assert (code, [one["status"] for one in outcomes]) == (0, ["ok"] * 3)
    assert sorted(one["series"] for one in outcomes) == ["flair", "t1", "t2"]
    case = Case.objects.get()
    assert Origin.objects.get(case=case).kind == "real"
    for role, uid in (("t1", T1), ("t2", T2), ("flair", FLAIR)):
        stored = canonical.load_array(case.series.get(role=role))
        expected = np.stack(running.pixels(archive, uid))
        assert stored.shape == expected.shape
        assert sorted(stored.ravel()) == sorted(expected.ravel())


def test_nothing_of_the_source_stays(server):
    run("--study-uid", STUDY_A)
    assert files_left() == []
    assert planted_in_the_database() == []
    assert not any(folders.place_of(one).root.exists() for one in Import.objects.all())


def test_importing_again_finds_what_is_there(server):
    first = run("--study-uid", STUDY_A, "--series-uid", T1)[1]
    again = run("--study-uid", STUDY_A)[1]
    assert (Case.objects.count(), Subject.objects.count()) == (1, 1)
    assert {one["case"] for one in first + again} == {Case.objects.get().code}
    assert [one["reason"] for one in again].count("already imported") == 1


def test_exams_of_two_people_are_two_subjects(server):
    run("--study-uid", STUDY_A)
    run("--study-uid", STUDY_B)
    assert (Case.objects.count(), Subject.objects.count()) == (2, 2)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("none", "--study-uid", STUDY_A), "no DICOMweb server of this name"),
        (("small", "--study-uid", "1.2.3"), "does not know this exam"),
        (("small", "--study-uid", STUDY_A, "--series-uid", "1.2"), "1 of these series"),
        (("small", "--study-uid", "../x"), "digits and points"),
    ],
)
def test_wrong_use_is_told_and_leaves_nothing(server, arguments, said):
    with pytest.raises(CommandError, match=said):
        call_command("import_dicomweb", *arguments)
    assert not Import.objects.exists()


def search(client, **terms: str):
    return client.post(reverse("dicomweb"), {"server": "small", **terms})


def series_page(client, **more: str):
    data = {"server": "small", "study_uid": STUDY_A, **more}
    return client.post(reverse("dicomweb-series"), data)


def test_the_pages_lead_from_a_search_to_an_import(client, coordinator, server):
    page = search(client, patient_id="SEC^RET-17")
    assert "MR Schädel, Kontrolle" in page.content.decode()
    assert page["Cache-Control"].startswith("max-age=0")
    chosen = series_page(client).content.decode()
    assert "Ax FLAIR" in chosen
    assert f'name="take-{T1}"' in chosen
    given = {f"take-{T1}": "on", f"role-{T1}": "t1c", f"take-{T2}": "on"}
    options = {"origin": "real", "faces": "keep", "import": "yes"}
    answer = series_page(client, **given, **options)
    batch = Import.objects.get()
    assert answer.status_code == 302
    assert answer.url == f"/staff/imports/{batch.pk}/"
    assert planted_in_the_database() == []
    jobs.work_through("default")
    batch.refresh_from_db()
    assert (batch.state, batch.counts) == ("finished", {"ok": 2})
    assert sorted(Case.objects.get().series.values_list("role", flat=True)) == ["t1c", "t2"]
    assert files_left() == []
    assert planted_in_the_database() == []


def test_a_search_is_on_record_without_its_terms(client, coordinator, server):
    search(client, accession="ACC 1")
    record = AuditRecord.objects.get(action="intake.search")
    assert (record.actor, record.target, record.new) == (coordinator, "server small", None)


@pytest.mark.parametrize(
    ("terms", "status", "said"),
    [
        ({}, 400, "Give at least one term"),
        ({"patient_id": "nobody"}, 200, "No exam matches"),
        (
            {"patient_id": "x", "server": "https://evil.example.org"},
            400,
            "not one of the available",
        ),
    ],
)
def test_the_search_page_says_what_is_wrong(client, coordinator, server, terms, status, said):
    answer = search(client, **terms)
    assert answer.status_code == status
    assert said in answer.content.decode()


def test_a_server_that_fails_is_told_on_the_page(client, coordinator, server):
    set_fault(server, "403", 1)
    answer = search(client, patient_id="SEC^RET-17")
    assert answer.status_code == 502
    assert "does not allow this account" in answer.content.decode()
    set_fault(server, "404", 1)
    assert series_page(client).url == reverse("dicomweb")


def test_choosing_no_series_is_told(client, coordinator, server):
    answer = series_page(client, origin="real", faces="keep", **{"import": "yes"})
    assert answer.status_code == 400
    assert "Choose at least one series" in answer.content.decode()
    assert not Import.objects.exists()


def test_two_series_cannot_have_one_sequence(client, coordinator, server):
    given = {f"{what}-{uid}": "t1" for uid in (T1, T2) for what in ("take", "role")}
    answer = series_page(client, **given, origin="real", faces="keep", **{"import": "yes"})
    assert answer.status_code == 400
    assert "Two series of the exam are to be t1" in answer.content.decode()


def test_without_servers_the_page_says_how_to_name_one(client, coordinator, settings):
    settings.DICOMWEB_SERVERS = {}
    assert "READERSTUDY_DICOMWEB_NAME_URL" in client.get(reverse("dicomweb")).content.decode()


def test_a_job_that_broke_off_goes_on_where_it_stopped(client, coordinator, server, monkeypatch):
    from readerstudy.intake import dicomweb
    from readerstudy.intake.dicomweb_http import Patience

    hasty = Patience(silence=1, answer=5, tries=1, pause=0)
    monkeypatch.setattr(dicomweb, "Patience", lambda: hasty)
    given = {f"take-{uid}": "on" for uid in (T1, T2)}
    series_page(client, **given, origin="real", faces="keep", **{"import": "yes"})
    whole = dicomweb.save_instance
    calls = []

    def breaks(*args, **kwargs):
        calls.append(1)
        if len(calls) == 7:
            set_fault(server, "503", 1)
        return whole(*args, **kwargs)

    monkeypatch.setattr(dicomweb, "save_instance", breaks)
    jobs.work_through("default")
    job = Job.objects.get()
    assert (job.state, Import.objects.get().state) == ("failed", "failed")
    assert "busy" in job.error
    assert len(files_left()) == 7
    before = len([path for path in running.asked(server) if "/instances/" in path])
    jobs.retry(job=job)
    jobs.work_through("default")
    after = len([path for path in running.asked(server) if "/instances/" in path])
    assert after - before == 3
    assert Import.objects.get().counts == {"ok": 2}
