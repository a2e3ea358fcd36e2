"""Training and generating with provenance: rows, cases, origins and scores."""

from __future__ import annotations

import hashlib
import json
import shutil
import uuid
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from readerstudy.cases import canonical
from readerstudy.cases.ingest import import_folder, source_key
from readerstudy.cases.models import Case, Series
from readerstudy.core import jobs
from readerstudy.core.errors import Conflict, NotFound
from readerstudy.core.models import AuditRecord, Job
from readerstudy.truth.models import Origin
from synthesis import bench, first_scores
from synthesis.data.subjects import SubjectFiles, load_subject
from synthesis.folders import run_folder
from synthesis.generate import Generator, load_generator
from synthesis.manifest import GenerationRecord, verify
from synthesis.models import Checkpoint, GenerationRun, Score, TrainingSubject
from tests.cases.folders import objects
from tests.synthesis.bench_jobs import OVERRIDES, codes_of, generate_job, silent, train_job
from tests.synthesis.conftest import NAMES

pytestmark = pytest.mark.django_db
INPUTS = ("flair", "t1", "t2")

# Phantoms


@pytest.mark.slow
def test_a_job_writes_phantoms_and_leaves_alone_those_that_are_complete(cohort, tmp_path):
    folder = tmp_path / "phantoms"
    for name in ("t1n", "t1c", "t2w", "t2f", "seg"):
        (folder / "phantom-0007").mkdir(parents=True, exist_ok=True)
        shutil.copy(cohort / "case-0" / "t1c.nii.gz", folder / "phantom-0007" / f"{name}.nii.gz")
    (folder / "phantom-0007" / "description.json").write_text("made before")
    arguments = {"folder": str(folder), "first_seed": 7, "count": 2, "spacing_mm": [8.0, 6.0, 6.0]}
    job = jobs.enqueue("make_phantoms", title="Make", arguments=arguments)
    jobs.work_through("default")
    job.refresh_from_db()
    assert (job.state, job.result) == (Job.State.DONE, {"folder": str(folder), "subjects": 2})
    assert (job.step, job.of, job.message) == (2, 2, "2 of 2 subjects")
    assert (folder / "phantom-0007" / "description.json").read_text() == "made before"
    outcomes = {one.path: one for one in import_folder(folder / "phantom-0008")}
    assert {one.series for one in outcomes.values() if one.status == "ok"} == {*NAMES, "mask"}
    assert outcomes["t1c.nii.gz"].spacing_mm == [8.0, 6.0, 6.0]


# Training


def test_a_training_job_leaves_a_checkpoint_with_its_provenance(cohort):
    job = train_job(cohort)
    assert (job.state, job.error) == (Job.State.DONE, "")
    stored = Checkpoint.objects.get()
    weights = (run_folder("toy") / "weights.safetensors").read_bytes()
    split = json.loads((run_folder("toy") / "split.json").read_text())
    assert stored.weights_sha256 == hashlib.sha256(weights).hexdigest()
    assert stored.data_manifest_sha256 == split["sha256"]
    assert (stored.preset, stored.run_folder, stored.job) == ("unet2d-t1c", "toy", job)
    assert stored.card["training"]["seed"] == 5
    assert stored.card["training"]["steps"] == 6
    assert set(job.result["metrics"]) == {s["metric"] for s in stored.card["validation"]["scores"]}
    assert job.result["checkpoint"] == str(stored.pk)
    keys = TrainingSubject.objects.values_list("source_key", flat=True)
    assert set(keys) == {source_key(f"case-{number}") for number in range(3)}
    assert len(keys) == len(split["subjects"])
    (record,) = AuditRecord.objects.all()
    assert record.new == {"weights_sha256": stored.weights_sha256}


def test_training_the_same_run_again_stores_nothing_twice(cohort):
    first = train_job(cohort)
    second = train_job(cohort)
    assert second.state == Job.State.DONE
    assert second.result == first.result
    assert Checkpoint.objects.count() == AuditRecord.objects.count() == 1
    assert TrainingSubject.objects.count() == 3


@pytest.mark.parametrize("step", [0, 2, 4])
def test_training_goes_on_after_its_worker_died(cohort, step):
    """Before the first step, before the first saved state (step 3), and after it."""

    class Died(BaseException):
        """Nothing catches this on the way, as nothing catches SIGKILL."""

    def dying(at: int, *_: Any) -> None:
        if at >= step:
            raise Died

    order = bench.TrainingOrder(
        "unet2d-t1c", cohort, "toy", 5, (*OVERRIDES, "report_every=1"), "cpu"
    )
    with pytest.raises(Died):
        bench.train_checkpoint(order, job=None, progress=dying)
    assert Checkpoint.objects.count() == 0
    stored = bench.train_checkpoint(order, job=None, progress=silent)
    assert stored.card["training"]["steps"] == 6
    other = bench.TrainingOrder(**{**vars(order), "run": "without-a-death"})
    whole = bench.train_checkpoint(other, job=None, progress=silent)
    assert whole.weights_sha256 == stored.weights_sha256


def test_a_run_trained_again_on_other_data_is_refused(cohort, shown):
    train_job(cohort)
    job = train_job(shown)
    assert job.state == Job.State.FAILED
    assert job.error.startswith("The images differ from those this run began with")
    assert Checkpoint.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"preset": "unknown"}, "Unknown preset 'unknown'. Known presets: "),
        ({"overrides": ["colour=red"]}, "unet2d-t1c has no setting 'colour'. "),
        ({"data": "/nowhere/at/all"}, "There is no folder 'all' to take subjects from."),
    ],
)
def test_a_training_that_cannot_begin_says_why(cohort, changes, words):
    job = train_job(cohort, **changes)
    assert job.state == Job.State.FAILED
    assert job.error.startswith(words)


def test_a_wrong_setting_does_not_use_up_the_name_of_the_run(cohort):
    assert train_job(cohort, overrides=["width=-4"]).state == Job.State.FAILED
    assert train_job(cohort).state == Job.State.DONE


def test_too_few_subjects_are_told(cohort, tmp_path):
    shutil.copytree(cohort / "case-0", tmp_path / "one" / "case-0")
    job = train_job(tmp_path / "one")
    assert "training needs at least two" in job.error


# Generating


def test_each_source_gets_a_counterpart_with_its_inputs_and_its_origin(checkpoint, sources):
    job = generate_job(checkpoint, sources[:2])
    assert (job.state, job.error) == (Job.State.DONE, "")
    run = GenerationRun.objects.get()
    assert job.result == {"run": str(run.pk), "images": 2}
    assert (run.checkpoint, run.job, run.role, run.seed) == (checkpoint, job, "t1c", 1)
    pairs = run.record["cases"].values()
    assert {pair["source"] for pair in pairs} == set(codes_of(sources[:2]))
    for pair in pairs:
        source, made = (Case.objects.get(code=pair[key]) for key in ("source", "case"))
        assert made.subject == source.subject
        assert made.code != source.code
        real, synthetic = ({s.role: s for s in case.series.all()} for case in (source, made))
        assert set(real) == set(synthetic) == set(NAMES)
        for role in INPUTS:
            assert synthetic[role].object_name == real[role].object_name
            assert synthetic[role].affine_lps == real[role].affine_lps
        assert synthetic["t1c"].sha256 != real["t1c"].sha256
        assert synthetic["t1c"].affine_lps == real["t1c"].affine_lps
        assert synthetic["t1c"].shape == real["t1c"].shape
        origin = Origin.objects.get(case=made)
        assert (origin.kind, origin.generation_run) == (Origin.Kind.SYNTHETIC, run.pk)
        assert Origin.objects.get(case=source).kind == Origin.Kind.REAL
    assert len(Case.objects.all()) == 5


def test_the_stored_image_is_what_the_network_makes_of_the_source(checkpoint, sources, shown):
    generate_job(checkpoint, sources[:1])
    pair = next(iter(GenerationRun.objects.get().record["cases"].values()))
    folder = next(
        folder
        for folder in shown.iterdir()
        if source_key(folder.name) == Case.objects.get(code=pair["source"]).subject.source_key
    )
    files = {role: folder / f"{NAMES[role]}.nii.gz" for role in INPUTS}
    subject = load_subject(SubjectFiles(folder.name, files), inputs=INPUTS)
    expected = load_generator(run_folder("toy")).volume(subject.raw, seed=1)
    stored = canonical.load_array(Series.objects.get(case__code=pair["case"], role="t1c"))
    np.testing.assert_array_equal(stored, expected[:, ::-1, ::-1])  # RAS to LPS


def test_the_record_makes_the_image_again(checkpoint, sources):
    generate_job(checkpoint, sources)
    run = GenerationRun.objects.get()
    record = GenerationRecord.from_dict(run.record["generation"])
    generator = load_generator(run_folder("toy"))
    assert len(record.images) == 3
    for image in record.images:
        pair = run.record["cases"][image.uuid]
        source = Case.objects.get(code=pair["source"])
        inputs = {
            role: bench.network_input(series)
            for role, series in bench.inputs_of(source, generator.config.inputs).items()
        }
        assert verify(record, image.uuid, generator, inputs).exact
        assert image.sources_seen_as == "unseen"
        # What the register of origins holds is the fingerprint of this image's own record.
        alone = GenerationRecord(record.generator, record.environment, (image,))
        assert Origin.objects.get(case__code=pair["case"]).record_sha256 == alone.sha256


def test_scores_stand_beside_those_of_doing_nothing(checkpoint, sources):
    generate_job(checkpoint, sources[:1])
    by_candidate: dict[str, set[tuple[str, str]]] = {}
    for score in Score.objects.all():
        assert (score.value is None) == bool(score.reason)
        by_candidate.setdefault(score.candidate, set()).add((score.preset, score.metric))
    assert set(by_candidate) == {"synthetic", "do nothing"}
    assert by_candidate["synthetic"] == by_candidate["do nothing"]
    assert {preset.split("/")[0] for preset, _ in by_candidate["synthetic"]} == {"plain", "brasyn"}
    assert all("/" in preset for preset, _ in by_candidate["synthetic"]), "named and versioned"
    (code,) = set(Score.objects.values_list("case_code", flat=True))
    assert Origin.objects.get(case__code=code).kind == Origin.Kind.SYNTHETIC


def test_a_perfect_image_scores_perfectly(checkpoint, sources, monkeypatch):
    """1000 + 200 z of the acquired image itself: no error, similarity 1."""
    source = sources[0]
    truth = canonical.load_array(source.series.get(role="t1c"))[:, ::-1, ::-1].astype(float)
    inside = truth != 0
    z = (truth - truth[inside].mean()) / truth[inside].std()
    perfect = np.where(inside, np.rint(1000 + 200 * z), 0).astype(np.int16)
    monkeypatch.setattr(Generator, "volume", lambda *_, **__: perfect)
    generate_job(checkpoint, [source])
    scores = Score.objects.filter(candidate="synthetic")
    values = {(s.preset.split("/")[0], s.metric): s.value for s in scores}
    assert values["plain", "mae"] == values["plain", "rmse"] == values["brasyn", "mae"] == 0
    assert values["brasyn", "ssim"] == pytest.approx(1)
    assert values["plain", "psnr"] is None
    assert scores.get(preset__startswith="plain", metric="psnr").reason == (
        "infinite: the images are equal"
    )
    nothing = Score.objects.get(candidate="do nothing", preset__startswith="plain", metric="mae")
    assert nothing.value > 0


def test_without_an_acquired_image_there_is_nothing_to_score_against(checkpoint, sources):
    sources[0].series.get(role="t1c").delete()
    generate_job(checkpoint, sources[:1])
    assert Case.objects.count() == 4
    assert Score.objects.count() == 0


def test_the_same_job_again_makes_nothing_twice(checkpoint, sources):
    job = generate_job(checkpoint, sources)
    before = (Case.objects.count(), Score.objects.count(), objects())
    Job.objects.filter(pk=job.pk).update(state=Job.State.WAITING)
    jobs.work_through("gpu")
    job.refresh_from_db()
    assert (job.state, job.result["images"]) == (Job.State.DONE, 3)
    assert GenerationRun.objects.count() == 1
    assert (Case.objects.count(), Score.objects.count(), objects()) == before


def test_a_job_that_stopped_between_two_images_goes_on(checkpoint, sources, monkeypatch):
    volume, made = Generator.volume, []

    def second_fails(self, inputs, *, seed):
        made.append(1)
        if len(made) == 2:
            raise MemoryError("no memory left")
        return volume(self, inputs, seed=seed)

    monkeypatch.setattr(Generator, "volume", second_fails)
    job = generate_job(checkpoint, sources)
    assert (job.state, job.error) == (Job.State.FAILED, "MemoryError: no memory left")
    (first,) = GenerationRun.objects.get().record["cases"].values()
    jobs.retry(job=job)
    jobs.work_through("gpu")
    job.refresh_from_db()
    assert (job.state, job.result["images"]) == (Job.State.DONE, 3)
    run = GenerationRun.objects.get()
    assert sorted(p["source"] for p in run.record["cases"].values()) == codes_of(sources)
    assert first in run.record["cases"].values()
    assert len(made) == 4, "the first image was not made again"


def test_an_image_that_cannot_be_scored_leaves_nothing_half_written(
    checkpoint, sources, monkeypatch
):
    def broken(*_: Any, **__: Any) -> None:
        raise FloatingPointError("overflow")

    with monkeypatch.context() as patch:
        patch.setattr(first_scores, "compare_with_reasons", broken)
        job = generate_job(checkpoint, sources[:1])
    assert job.state == Job.State.FAILED
    assert Case.objects.count() == len(sources)
    assert Origin.objects.filter(kind=Origin.Kind.SYNTHETIC).count() == 0
    assert GenerationRun.objects.get().record["cases"] == {}
    jobs.retry(job=job)
    jobs.work_through("gpu")
    assert Case.objects.count() == len(sources) + 1


def test_two_workers_at_one_job_make_each_image_once(checkpoint, sources, monkeypatch):
    """A worker taken for dead is overtaken while it computes, then wants to store its image."""
    volume, depth = Generator.volume, []
    job = jobs.enqueue("generate", title="Twice", arguments={})

    def work() -> None:
        bench.generate_run(str(checkpoint.pk), codes_of(sources), seed=1, job=job, progress=silent)

    def overtaken(self, inputs, *, seed):
        depth.append(1)
        if len(depth) == 1:
            work()
        return volume(self, inputs, seed=seed)

    monkeypatch.setattr(Generator, "volume", overtaken)
    work()
    run = GenerationRun.objects.get()
    assert sorted(p["source"] for p in run.record["cases"].values()) == codes_of(sources)
    assert Origin.objects.filter(kind=Origin.Kind.SYNTHETIC).count() == 3


def test_a_subject_that_trained_the_network_is_refused_by_name(checkpoint, cohort):
    import_folder(cohort)
    case = Case.objects.get(subject__source_key=source_key("case-1"))
    job = generate_job(checkpoint, [case])
    assert job.error == (
        f"Case {case.code} is of a subject that trained this network. Its synthetic "
        "counterpart would not be of an unseen subject; leave the case out."
    )
    assert Origin.objects.count() == 0


@pytest.mark.parametrize("number", range(3))
def test_a_subject_that_trained_the_network_is_refused_under_another_name(
    checkpoint, cohort, tmp_path, number
):
    """By content: held-out subjects as well as those of the training part."""
    shutil.copytree(cohort / f"case-{number}", tmp_path / "others" / "somebody-else")
    import_folder(tmp_path / "others")
    job = generate_job(checkpoint, [Case.objects.get()])
    assert "is of a subject that trained this network" in job.error
    assert Case.objects.count() == 1


def test_weights_that_were_exchanged_are_refused(checkpoint, sources, cohort):
    train_job(cohort, run="other", seed=6)
    name = "weights.safetensors"
    shutil.copy(run_folder("other") / name, run_folder("toy") / name)
    with pytest.raises(Conflict, match="not those on record"):
        bench.generate_run(str(checkpoint.pk), codes_of(sources), seed=1, job=None, progress=silent)
    with pytest.raises(Conflict, match="was trained again"):
        bench.store_checkpoint("toy", job=None)


def test_a_checkpoint_that_does_not_exist_is_told():
    with pytest.raises(NotFound, match="Train the network first"):
        bench.generate_run(str(uuid.uuid4()), [], seed=1, job=None, progress=silent)


def test_a_case_without_an_input_is_told(checkpoint, sources):
    sources[0].series.get(role="flair").delete()
    job = generate_job(checkpoint, sources[:1])
    assert job.error == f"Case {sources[0].code} has no flair series."


def test_series_on_different_grids_are_told(checkpoint, sources):
    moved = sources[0].series.get(role="t2")
    moved.affine_lps[0][3] += 3
    moved.save()
    job = generate_job(checkpoint, sources[:1])
    assert "lie on different grids. Register them to one first." in job.error


def test_the_order_of_making_is_drawn_by_the_seed(checkpoint, sources, monkeypatch):
    asked = []

    def note(_checkpoint: str, codes: list[str], **_: Any) -> SimpleNamespace:
        asked.append(tuple(codes))
        return SimpleNamespace(pk=uuid.uuid4(), record={"images": []})

    monkeypatch.setattr(bench, "generate_run", note)
    for seed in range(12):
        generate_job(checkpoint, sources, seed=seed)
    generate_job(checkpoint, sources, seed=0)
    assert {tuple(sorted(codes)) for codes in asked} == {tuple(codes_of(sources))}
    assert len(set(asked)) > 1
    assert asked[12] == asked[0]


@pytest.mark.parametrize("named", ["before", "after"])
def test_a_training_subject_imported_under_the_name_of_its_source_is_known(finished, cohort, named):
    from readerstudy.cases.ingest import Source
    from readerstudy.intake.models import Import
    from readerstudy.truth import register

    if named == "before":
        Import.objects.create(kind=Import.Kind.choices[0][0], options={"label": "Hospital A"})
    shutil.copytree(finished.run_dir, run_folder("toy"))
    stored = bench.store_checkpoint("toy", job=None)
    if named == "after":
        Import.objects.create(kind=Import.Kind.choices[0][0], options={"label": "Hospital A"})
    import_folder(cohort, source=Source(label="Hospital A"))
    cases = list(Case.objects.all())
    register.declare_real(cases=cases, actor=None)
    assert cases[0].subject.source_key != source_key("case-0")
    job = generate_job(stored, cases[:1])
    assert job.state == Job.State.FAILED
    assert "trained this network" in job.error
    assert GenerationRun.objects.get().record["cases"] == {}
