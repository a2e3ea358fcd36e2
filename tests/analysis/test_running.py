"""From the last answer to the table: known answers give known numbers, in R as well."""

from __future__ import annotations

import csv
import io
import json
import math
import random
import shutil
import subprocess
from pathlib import Path

import pytest
from django.urls import reverse

from readerstudy.analysis import datasets, export, running
from readerstudy.analysis.carrying_out import entries_of
from readerstudy.analysis.writing.packing import to_zip
from readerstudy.core import jobs
from readerstudy.core.errors import NotAllowed, ReaderStudyError
from readerstudy.core.models import AuditRecord
from readerstudy.reading.scheduling import certificate
from readerstudy.studies import design, lifecycle
from readerstudy.studies.models import Membership, Study
from readerstudy.truth.models import Origin
from readerstudy.truth.unblinding import unblind
from tests import scenario
from tests.factories import StudyFactory

pytestmark = pytest.mark.django_db
SCRIPT = Path(__file__).parent / "reference" / "turing.R"


def finish(made) -> None:
    lifecycle.close(study=made.study, actor=made.coordinator, reason="all cases read")
    unblind(
        study=made.refresh(),
        actor=made.coordinator,
        reason="planned",
        typed_name=made.study.name,
    )
    made.refresh()


def read_with(made, wrong: list[set[int]]) -> None:
    """Each reader answers right except for the given numbers within each class."""
    kinds = {o.case_id: o.kind for o in Origin.objects.all()}
    other = {"real": "synthetic", "synthetic": "real"}
    ordered = sorted(kinds, key=lambda pk: (kinds[pk], str(pk)))
    numbers = {pk: index for index, pk in enumerate(ordered)}
    for reader, misses in enumerate(wrong):

        def answer(case, misses=misses):
            truth = kinds[case.pk]
            said = other[truth] if numbers[case.pk] in misses else truth
            return scenario.body(said, "3", cues=["texture", "vessels"])

        scenario.read_all(made.enrolment(reader), answer)


@pytest.fixture
def finished():
    """Ten cases; R1 errs on two real and one synthetic, R2 on one real and three synthetic."""
    made = scenario.running(5, 5)
    read_with(made, [{0, 1, 5}, {1, 6, 7, 8}])
    finish(made)
    return made


def table(found, section, name):
    """Rows of a table by their first cell."""
    made = next(one for one in found.section(section).tables if one.code == name)
    first = made.columns[0].code
    return {row.cells[first].replace(",", " ").split()[0]: row.cells for row in made.rows}


def test_the_table_counts_what_was_answered(finished):
    rows = table(running.here(finished.study, actor=None), "turing_accuracy", "readers")
    first, second = rows["R1"], rows["R2"]
    counts = ("real_as_real", "real_as_synthetic", "synthetic_as_real", "synthetic_as_synthetic")
    assert [first[name].value for name in counts] == [3, 2, 1, 4]
    assert second["synthetic_as_real"].value == 3
    assert first["correct"].value == 0.7
    # Wilson 7/10 and exact binomial p, from R: prop.test(7, 10, correct=FALSE), binom.test(7, 10)
    assert first["correct"].low == pytest.approx(0.3967781474611454, abs=1e-12)
    assert first["correct"].high == pytest.approx(0.8922087325936990, abs=1e-12)
    assert first["p"].value == pytest.approx(0.34375, abs=1e-12)
    assert rows["All"]["correct"].value == 13 / 20


def test_truth_is_refused_before_unblinding_and_each_look_is_recorded():
    made = scenario.running(2, 2)
    with pytest.raises(NotAllowed):
        datasets.load(made.study, actor=made.coordinator)
    read_with(made, [set(), set()])
    finish(made)
    datasets.load(made.study, actor=made.coordinator)
    assert AuditRecord.objects.filter(action="truth.look", actor=made.coordinator).count() == 1


def test_unblinding_needs_a_closed_study_a_reason_and_the_name():
    made = scenario.running(2, 2)
    confirm = {"study": made.study, "actor": made.coordinator, "typed_name": made.study.name}
    with pytest.raises(ReaderStudyError, match="running cannot become unblinded"):
        unblind(reason="curious", **confirm)
    lifecycle.close(study=made.study, actor=made.coordinator, reason="done")
    confirm["study"] = made.refresh()
    with pytest.raises(ReaderStudyError, match="reason"):
        unblind(reason=" ", **confirm)
    with pytest.raises(ReaderStudyError, match="type the name"):
        unblind(reason="planned", **{**confirm, "typed_name": "another"})


def test_a_constant_reader_and_missing_reads_are_reported_not_hidden():
    made = scenario.running(3, 3)
    scenario.read_all(made.enrolment(0), lambda _: scenario.body("synthetic"))
    finish(made)
    found = running.here(made.study, actor=made.coordinator)
    rows = table(found, "turing_accuracy", "readers")
    assert rows["R1"]["correct"].value == 0.5
    assert math.isnan(rows["R2"]["correct"].value)
    assert rows["R2"]["correct"].reason
    assert "Missing 6" in found.facts[1]
    document = json.dumps(found.to_dict(), allow_nan=False)
    assert "reason" in document


def test_the_export_has_every_answer_once_with_a_codebook(finished):
    data = datasets.load(finished.study, actor=finished.coordinator)
    files = export.files(data, running.here(finished.study, actor=None))
    long = list(csv.DictReader(io.StringIO(files["reads_long.csv"].decode())))
    assert len(long) == 20 * 3
    assert {row["question"] for row in long} == {"origin", "confidence", "cues"}
    assert next(r for r in long if r["question"] == "cues")["value"] == "vessels|texture"
    codebook = list(csv.DictReader(io.StringIO(files["codebook.csv"].decode())))
    described = {row["name"] for row in codebook if row["kind"] == "column"}
    assert described == set(long[0])
    codes = {(row["name"], row["code"]) for row in codebook if row["kind"] == "answer"}
    assert {(r["question"], v) for r in long for v in r["value"].split("|")} <= codes


def test_the_same_data_give_the_same_bytes(finished):
    plan = entries_of(finished.study.analyses)
    archives = []
    for _ in range(2):
        data = datasets.load(finished.study, actor=None)
        archives.append(to_zip(export.files(data, running.compute(data, plan))))
    assert archives[0] == archives[1]


def test_the_certificate_lets_a_reviewer_draw_the_order_again(finished):
    from readerstudy.reading.allocation import design_from, draw, table

    text = json.loads(json.dumps(certificate(finished.study)))
    again = draw(design_from(text["design"]), text["seed"])
    assert table(again) == text["table"]


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed (r-base-core)")
def test_r_gives_the_same_numbers_from_the_exported_file(tmp_path):
    made = scenario.running(12, 12)
    rng = random.Random(7)
    read_with(made, [set(rng.sample(range(24), k)) for k in (9, 11)])
    finish(made)
    data = datasets.load(made.study, actor=None)
    found = running.here(made.study, actor=None)
    files = export.files(data, found)
    (tmp_path / "reads.csv").write_bytes(files["reads_wide.csv"])
    command = ["Rscript", str(SCRIPT), str(tmp_path / "reads.csv")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    theirs = json.loads(done.stdout)
    rows = table(found, "turing_accuracy", "readers")
    for code, expected in zip(("R1", "R2"), theirs["readers"], strict=True):
        share = rows[code]["correct"]
        ours = {
            "accuracy": share.value,
            "low": share.low,
            "high": share.high,
            "p": rows[code]["p"].value,
        }
        assert ours == pytest.approx({k: expected[k] for k in ours}, abs=1e-10)
    overall = {"accuracy": rows["All"]["correct"].value, "p": rows["All"]["p"].value}
    assert overall == pytest.approx({k: theirs["overall"][k] for k in overall}, abs=1e-10)


def test_results_are_computed_for_others_though_who_began_must_stay_blind_elsewhere(client):
    """The coordinator reads the same cases in another study that is still blinded."""
    made = scenario.running(2, 2)
    read_with(made, [set(), set()])
    finish(made)
    other = StudyFactory()
    cases = list(made.study.cases.all())
    design.set_cases(study=other, cases=cases, actor=other.created_by)
    design.enrol(study=other, reader=made.coordinator, actor=other.created_by)
    Study.objects.filter(pk=other.pk).update(state=Study.State.RUNNING)
    statistician = scenario.person("statistician")
    Membership.objects.create(study=made.study, user=statistician, role="statistician")
    jobs.work_through("default")
    address = reverse("study-results", args=[made.study.pk])
    client.force_login(made.coordinator)
    assert client.get(address).status_code == 403
    client.force_login(statistician)
    assert "Right calls of real and synthetic" in client.get(address).content.decode()
