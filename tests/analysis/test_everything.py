"""The archive of a study that was read here: complete, without names, the same bytes again."""

from __future__ import annotations

import csv
import io
import json

import pytest
from django.core.management import call_command
from django.urls import reverse

from readerstudy.analysis import datasets, running
from readerstudy.analysis.everything import everything, software_list
from readerstudy.analysis.study_papers import papers_of
from readerstudy.analysis.writing.packing import to_zip
from readerstudy.core import jobs
from readerstudy.core.models import AuditRecord
from tests import scenario
from tests.analysis.test_running import finish, read_with

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    """Ten cases; R1 errs on two real and one synthetic, R2 on one real and three synthetic."""
    made = scenario.running(5, 5)
    read_with(made, [{0, 1, 5}, {1, 6, 7, 8}])
    finish(made)
    return made


def archive_of(made):
    found = running.here(made.study, actor=made.coordinator)
    return everything(datasets.load(made.study, actor=made.coordinator), found)


def test_the_archive_is_complete_and_gives_the_same_bytes_after_more_looks(study):
    first, second = archive_of(study), archive_of(study)
    assert [name for name in first if first[name] != second[name]] == []
    assert to_zip(first) == to_zip(second)
    assert set(first) >= {
        "protocol.json",
        "allocation_certificate.json",
        "deviations.csv",
        "audit.csv",
        "software.txt",
        "reads_long.csv",
        "reads_wide.csv",
        "codebook.csv",
        "items.csv",
        "plan.csv",
        "analysis.R",
        "analysis.ipynb",
        "report/report.html",
        "report/report.pdf",
        "text/methods.docx",
        "tables/tables.xlsx",
        "tables/numbers.csv",
        "results.json",
        "README.txt",
        "MANIFEST.json",
        "SHA256SUMS",
    }
    listed = {one["path"] for one in json.loads(first["MANIFEST.json"])["files"]}
    assert listed == set(first) - {"MANIFEST.json", "SHA256SUMS"}
    names_nobody(study, first)
    audit_log_knows_codes(first)
    report_has_its_papers(study, first)


def names_nobody(study, archive):
    people = (study.coordinator, *study.readers)
    names = [name for one in people for name in (one.username, one.email)]
    for path, blob in archive.items():
        for name in names:
            assert name.encode() not in blob, f"{path} names {name}"


def audit_log_knows_codes(archive):
    assert AuditRecord.objects.filter(action="truth.look").exists()
    rows = list(csv.DictReader(io.StringIO(archive["audit.csv"].decode())))
    assert {row["who"] for row in rows} <= {"staff", "the server", "R1", "R2"}
    assert not any(row["action"].startswith("analysis.") for row in rows)
    assert any(row["action"] == "study.unblinded" for row in rows)


def report_has_its_papers(study, archive):
    text = archive["report/report.html"].decode()
    papers = papers_of(study.study)
    assert papers.certificate["seed"] in text
    assert papers.certificate["table_hash"] in text
    assert study.study.protocol_hash in text
    assert papers.dates["unblinded"][:10] in text
    assert "Readings assigned: 20" in text


def test_single_documents_are_sent_to_those_who_may_export(study, client):
    client.force_login(study.coordinator)
    early = client.get(reverse("study-export", args=[study.study.pk, "report.pdf"]))
    assert early.status_code == 409, "the analysis is still at work"
    jobs.work_through("default")
    for name, begins in (
        ("everything.zip", b"PK"),
        ("report.html", b"<!DOCTYPE html>"),
        ("report.pdf", b"%PDF"),
        ("methods.docx", b"PK"),
        ("tables.xlsx", b"PK"),
        ("tables.docx", b"PK"),
    ):
        answer = client.get(reverse("study-export", args=[study.study.pk, name]))
        assert answer.status_code == 200, name
        assert answer.content.startswith(begins), name
        assert name in answer["Content-Disposition"]


def test_the_command_writes_folders(study, tmp_path, capsys):
    call_command("export_study", str(study.study.pk), out=tmp_path / "out")
    assert (tmp_path / "out" / "tables" / "numbers.csv").exists()
    assert "files are in" in capsys.readouterr().out


def test_the_software_list_names_what_computes():
    lines = software_list().splitlines()
    assert lines[0].startswith("Python 3.")
    assert any(line.startswith("numpy==") for line in lines)
    assert lines[1:] == sorted(lines[1:], key=str.casefold)
