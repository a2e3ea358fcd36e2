"""Scoring a run: rows with provenance, idempotent, from the command and from the pages."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import sys
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from readerstudy.cases import canonical
from readerstudy.cases.ingest import import_folder
from readerstudy.cases.models import Case
from readerstudy.core import jobs
from readerstudy.core.errors import ReaderStudyError
from readerstudy.core.models import AuditRecord, Job
from readerstudy.core.templatetags.readerstudy import digits
from readerstudy.truth import register
from synthesis import score_tables, scoring
from synthesis.data.subjects import brain_mask, zscore
from synthesis.folders import extractors_folder
from synthesis.levels import ZSCORE_MAPPING
from synthesis.metrics import compare
from synthesis.models import GenerationRun, Score, Scoring
from synthesis.score_orders import ScoreOrder
from tests.factories import CoordinatorFactory
from tests.synthesis.bench_jobs import generate_job, silent
from tests.synthesis.conftest import SHAPE, make_volumes, write_nifti, write_subject

pytestmark = pytest.mark.django_db


def labels_of(seed: int) -> np.ndarray:
    """A tumour where FLAIR is bright, its left half core, of which a quarter enhances."""
    volumes = make_volumes(seed)
    labels = np.zeros(SHAPE, np.float32)
    labels[volumes["flair"] > 140] = 2
    z, _, x = np.indices(SHAPE)
    labels[(labels == 2) & (x < SHAPE[2] // 2)] = 1
    labels[(labels == 1) & (z % 2 == 0)] = 4
    return labels


@pytest.fixture(scope="session")
def labelled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("labelled")
    for seed in range(10, 13):
        write_subject(folder / f"shown-{seed}", make_volumes(seed))
        write_nifti(folder / f"shown-{seed}" / "seg.nii.gz", labels_of(seed))
    return folder


@pytest.fixture
def run(checkpoint, labelled) -> GenerationRun:
    import_folder(labelled)
    cases = list(Case.objects.order_by("code"))
    register.declare_real(cases=cases, actor=None)
    generate_job(checkpoint, cases)
    return GenerationRun.objects.get()


def score(run: GenerationRun, **changes: Any) -> Scoring:
    return scoring.score_run(run, ScoreOrder(**changes), job=None, progress=silent)


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return 2 * (a & b).sum() / (a.sum() + b.sum())


def arrays(run: GenerationRun) -> dict[str, Any]:
    pair = next(iter(run.record["cases"].values()))
    source, case = (Case.objects.get(code=pair[key]) for key in ("source", "case"))
    series = {s.role: canonical.load_array(s) for s in source.series.all()}
    brain = brain_mask([series[role] for role in ("t1", "t2", "flair")])
    shown = {role: ZSCORE_MAPPING.apply(zscore(series[role]).z, brain) for role in ("t1", "t1c")}
    made = canonical.load_array(case.series.get(role="t1c"))
    return {"code": case.code, "made": made, "brain": brain, "seg": series["mask"], **shown}


def test_each_image_is_scored_in_each_region_beside_doing_nothing(run):
    done = score(run, presets=("plain", "calabrese2021"), regions=("brain", "tumour", "enhancing"))
    assert done.finished_at
    found = arrays(run)
    masks = {"brain": found["brain"], "tumour": found["seg"] > 0, "enhancing": found["seg"] == 4}
    for region, mask in masks.items():
        for candidate, image in (("synthetic", found["made"]), ("do nothing", found["t1"])):
            expected = compare(image, found["t1c"], mask, preset="plain")
            for metric, value in expected.items():
                stored = Score.objects.get(
                    run=run,
                    scoring=done,
                    case_code=found["code"],
                    candidate=candidate,
                    region=region,
                    preset="plain/1",
                    metric=metric,
                )
                assert stored.value == pytest.approx(value)
                assert stored.n == mask.sum()
    undefined = Score.objects.filter(scoring=done, value=None)
    assert all(one.reason for one in undefined)
    assert done.record["weights_sha256"] == run.checkpoint.weights_sha256
    assert done.record["environment"]["torch"]
    assert AuditRecord.objects.filter(action="synthesis.score").count() == 1


def test_the_same_order_scores_nothing_twice(run):
    first = score(run, presets=("plain",))
    keys = set(Score.objects.values_list("pk", flat=True))
    again = score(run, presets=("plain/1",))
    assert again == first
    assert set(Score.objects.values_list("pk", flat=True)) == keys
    assert AuditRecord.objects.filter(action="synthesis.score").count() == 1


def test_a_scoring_that_was_cut_off_goes_on(run):
    told: list[int] = []

    def dying(step: int, *_: Any) -> None:
        told.append(step)
        if step == 2:
            raise KeyboardInterrupt

    order = ScoreOrder(presets=("msssim",))
    with pytest.raises(KeyboardInterrupt):
        scoring.score_run(run, order, job=None, progress=dying)
    half = Scoring.objects.get()
    assert half.finished_at is None
    kept = set(half.scores.values_list("pk", flat=True))
    assert len(set(half.scores.values_list("case_code", flat=True))) == 2
    whole = scoring.score_run(run, order, job=None, progress=silent)
    assert whole == half
    assert kept < set(whole.scores.values_list("pk", flat=True))


def test_scores_of_another_order_stand_in_place_of_the_old_ones(run):
    score(run, presets=("plain",))
    second = score(run, presets=("plain",), regions=("brain", "core"))
    keys = list(Score.objects.values_list("case_code", "candidate", "region", "preset", "metric"))
    assert len(keys) == len(set(keys))
    plain = Score.objects.filter(preset="plain/1", region="brain")
    assert set(plain.values_list("scoring", flat=True)) == {second.pk}


def test_without_a_label_map_parts_of_the_tumour_are_undefined_with_the_reason(checkpoint, sources):
    generate_job(checkpoint, sources[:1])
    done = score(GenerationRun.objects.get(), presets=("plain",), regions=("brain", "core"))
    core = Score.objects.filter(scoring=done, region="core")
    assert {one.value for one in core} == {None}
    assert {one.reason for one in core} == {
        "the case has no label map (a mask series on the same grid)"
    }
    (line,) = (
        one
        for one in score_tables.lines_of([done.run])
        if one.region == "core" and one.metric == "mae"
    )
    assert (line.undefined, line.synthetic.images) == (1, 0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"presets": ("ssim",)}, "Unknown metric preset 'ssim'"),
        ({"regions": ("liver",)}, "Unknown region liver"),
        ({"presets": ()}, "Nothing to score"),
        ({"scheme": "enhancing=4"}, "give necrosis, oedema and enhancing"),
        ({"extractor": "nobody"}, "There is no extractor 'nobody'"),
        ({"segmenter": "command"}, "No program for segmentations is set up"),
        ({"segmenter": "/nowhere"}, "There is no folder 'nowhere'"),
    ],
)
def test_an_order_that_cannot_be_done_says_why(run, changes, words):
    with pytest.raises(ReaderStudyError, match=re.escape(words)):
        score(run, **changes)


# Segmentations


def test_label_maps_from_a_folder_are_compared(run, tmp_path):
    for pair in run.record["cases"].values():
        real = canonical.load_array(Case.objects.get(code=pair["source"]).series.get(role="mask"))
        made = real[:, ::-1, ::-1].copy()  # to RAS, as a file is read
        made[made == 4] = 1
        made[:, :3, :3] = 4
        write_nifti(tmp_path / f"{pair['case']}.nii.gz", made.astype(np.float32))
    done = score(run, presets=(), segmenter=str(tmp_path))
    found = arrays(run)
    rows = {
        (s.region, s.candidate, s.metric): s
        for s in Score.objects.filter(scoring=done, case_code=found["code"])
    }
    assert rows["enhancing", "synthetic", "dice"].value == 0.0
    tumour = (found["seg"] > 0).sum()
    dice = 2 * tumour / (2 * tumour + 12 * 9)
    assert rows["tumour", "synthetic", "dice"].value == pytest.approx(dice)
    ml = np.prod([2.0, 1.0, 1.0]) / 1000
    assert rows["enhancing", "acquired", "volume_ml"].value == pytest.approx(
        (found["seg"] == 4).sum() * ml
    )
    corner = 12 * 9 * ml
    assert rows["enhancing", "synthetic", "volume_ml"].value == pytest.approx(corner)
    assert rows["enhancing", "synthetic", "false_positive_ml"].value == pytest.approx(corner)
    assert {one.preset for one in rows.values()} == {"segmentation/1 uploaded"}
    assert len(done.record["segmenter"]["files"]) == 3


def test_the_operators_program_segments_both_images(run, settings, tmp_path):
    script = tmp_path / "segment.py"
    script.write_text(
        "import sys, nibabel as nib, numpy as np\n"
        "t1c = nib.load(sys.argv[1] + '/t1c.nii.gz')\n"
        "assert nib.load(sys.argv[1] + '/flair.nii.gz').shape == t1c.shape\n"
        "v = np.asarray(t1c.dataobj)\n"
        "labels = np.where(v > 1200, 4, np.where(v > 1100, 2, 0)).astype(np.uint8)\n"
        "nib.save(nib.Nifti1Image(labels, t1c.affine), sys.argv[2])\n"
    )
    settings.SEGMENTATION_COMMAND = f"{sys.executable} {script} {{input}} {{output}}"
    done = score(run, presets=(), segmenter="command", scheme="brats2012")
    found = arrays(run)
    dices = {
        (one.preset, one.candidate): one.value
        for one in Score.objects.filter(
            scoring=done, case_code=found["code"], region="enhancing", metric="dice"
        )
    }
    a, b = (found[name] > 1200 for name in ("made", "t1c"))
    true = found["seg"] == 4
    assert dices == {
        ("segmentation/1 command", "synthetic"): pytest.approx(dice(a, b)),
        ("segmentation/1 command, label map", "synthetic"): pytest.approx(dice(a, true)),
        ("segmentation/1 command, label map", "acquired"): pytest.approx(dice(b, true)),
    }
    assert done.record["segmenter"]["command"] == settings.SEGMENTATION_COMMAND


def test_a_program_that_fails_is_told(run, settings):
    settings.SEGMENTATION_COMMAND = f"{sys.executable} -c 1/0 {{input}} {{output}}"
    with pytest.raises(ReaderStudyError, match="failed with code 1"):
        score(run, presets=(), segmenter="command")


# Sets


def test_the_set_is_scored_with_a_local_extractor_and_copies_are_sought(run, cohort):
    done = score(run, presets=(), extractor="random-resnet", training=str(cohort), every=1, draws=4)
    rows = {(s.candidate, s.metric): s for s in Score.objects.filter(scoring=done, case_code="")}
    assert rows["synthetic", "fid"].value > 0
    assert rows["synthetic", "fid"].low <= rows["synthetic", "fid"].value
    assert "too high" in rows["synthetic", "fid"].reason
    assert rows["do nothing", "fid"].value > 0
    assert rows["synthetic", "fid"].preset == "sets/1 random-resnet/seed2026"
    assert rows["synthetic", "copies_pixels"].value is not None
    assert done.record["extractor"]["name"] == "random-resnet"
    pairs = done.record["copies"]["pixels"]["pairs"]
    assert 0 < len(pairs) <= 20
    assert all("case-" not in pair["train"] for pair in pairs)  # no names of people


def test_the_studys_own_extractor_is_trained_once_on_training_images(run, cohort, monkeypatch):
    from synthesis.metrics import encoder, extractors

    short = encoder.EncoderSettings(steps=2, batch=8)
    monkeypatch.setattr(extractors, "EncoderSettings", lambda: short)
    first = score(run, presets=(), extractor="self", training=str(cohort), every=1, draws=2)
    sha256 = first.record["extractor"]["weights_sha256"]
    again = score(run, presets=(), extractor="self", training=str(cohort), every=2, draws=2)
    assert again.record["extractor"]["weights_sha256"] == sha256
    assert (extractors_folder() / "self" / "weights.safetensors").exists()
    assert first.record["extractor"]["facts"]["patients"] == 2  # one of three is held out


def test_without_training_images_copies_are_undefined_with_the_reason(run):
    done = score(run, presets=(), extractor="random-resnet", every=1, draws=2)
    row = Score.objects.get(scoring=done, metric="copies_pixels")
    assert row.reason == "the training images are not at hand: name their folder"
    assert not done.record["copies"]


# Command


def test_the_command_prints_scores_as_json(run, capsys):
    call_command("score", str(run.pk)[:8], "--preset", "brasyn", "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["run"] == str(run.pk)
    mine = [one for one in told["scores"] if one["preset"] == "brasyn/1"]
    assert {one["metric"] for one in mine} == {"ssim", "psnr", "mae"}
    assert told["settings"]["presets"] == ["brasyn/1"]
    assert Job.objects.filter(kind="score", state=Job.State.DONE).count() == 1


def test_the_command_tells_means_with_intervals(run, capsys):
    call_command("score", str(run.pk), "--preset", "plain")
    text = capsys.readouterr().out
    assert re.search(r"plain/1 +brain +mae +[\d.]+ \([\d.]+ to [\d.]+, n = 3\)  do nothing", text)


def test_the_command_refuses_what_it_cannot_do(run):
    with pytest.raises(CommandError, match="no generation run"):
        call_command("score", "ffffffff-0")
    with pytest.raises(CommandError, match="extractor"):
        call_command("score", str(run.pk), "--unpaired")
    with pytest.raises(CommandError, match="Unknown metric preset"):
        call_command("score", str(run.pk), "--preset", "nothing")


def test_extractors_are_listed_and_refused_in_words(capsys, tmp_path):
    call_command("extractor", "list")
    assert "random-resnet/seed2026" in capsys.readouterr().out
    path = tmp_path / "w.safetensors"
    path.write_bytes(b"nothing")
    with pytest.raises(CommandError, match="another file"):
        call_command(
            "extractor", "add", "mine", architecture="resnet18", weights=path, sha256="0" * 64
        )


# Pages


@pytest.fixture
def page(client: Client) -> Client:
    client.force_login(CoordinatorFactory())
    return client


def text_of(response: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def test_the_page_orders_scores_and_shows_them(page, run, woken):
    address = reverse("run-scores", args=[run.pk])
    data = {"presets": ["plain", "wang2023"], "regions": ["brain", "core"], "labels": "auto",
            "segmentations": "", "extractor": ""}  # fmt: skip
    assert page.post(address, data).status_code == 302
    page.post(address, data)  # a double click
    (job,) = Job.objects.filter(kind="score")
    assert job.queue == "default"
    jobs.work_through("default")
    shown = text_of(page.get(address))
    (line,) = (
        one for one in score_tables.lines_of([run]) if (one.metric, one.region) == ("mae", "core")
    )
    assert digits(line.synthetic.value, 4) in shown
    assert "wang2023/1" in shown
    assert "3 patients only: take the interval as a hint" in shown
    assert AuditRecord.objects.get(action="synthesis.score").actor == job.created_by


def test_an_order_of_nothing_is_refused_on_the_page(page, run):
    address = reverse("run-scores", args=[run.pk])
    answer = page.post(address, {"regions": ["brain"], "labels": "auto"})
    assert answer.status_code in (400, 409, 422)
    assert "Nothing to score" in text_of(answer)


def test_copies_are_shown_to_those_who_may_see_origins(page, run, cohort, client):
    score(run, presets=(), extractor="random-resnet", training=str(cohort), every=1, draws=2)
    shown = text_of(page.get(reverse("run-copies", args=[run.pk])))
    assert "By pixels" in shown
    assert "training subject" in shown
    picture = page.get(reverse("run-copy", args=[run.pk, "pixels", 0, "made"]))
    assert b"".join(picture).startswith(b"\x89PNG")
    assert page.get(reverse("run-copy", args=[run.pk, "pixels", 99, "made"])).status_code == 404
    assert "To mind" in text_of(page.get(reverse("run-scores", args=[run.pk])))


def test_pairs_are_hidden_while_a_study_is_blinded(page, run, cohort, monkeypatch):
    from synthesis import looking

    score(run, presets=(), extractor="random-resnet", training=str(cohort), every=1, draws=2)
    monkeypatch.setattr(looking, "why_hidden", lambda *_: "A study with this case is running.")
    shown = text_of(page.get(reverse("run-copies", args=[run.pk])))
    assert "A study with this case is running." in shown
    assert "training subject" not in shown
    assert page.get(reverse("run-copy", args=[run.pk, "pixels", 0, "made"])).status_code == 404


def test_checkpoints_are_compared_on_a_page_and_as_csv(page, run):
    score(run, presets=("plain",), extractor="random-resnet", every=1, draws=2)
    shown = page.get(reverse("generator-scores"))
    assert "FID over training" in text_of(shown)
    (kind,) = shown.context["kinds"]
    figure = page.get(reverse("generator-scores-figure"), {"kind": kind})
    assert figure.content.decode().startswith("<svg")
    table = page.get(reverse("generator-scores-csv"))
    rows = list(csv.DictReader(io.StringIO(table.content.decode())))
    wanted = ("plain/1", "mae", "synthetic")
    line = next(r for r in rows if (r["preset"], r["metric"], r["candidate"]) == wanted)
    values = Score.objects.filter(metric="mae", preset="plain/1", candidate="synthetic")
    expected = np.mean([one.value for one in values])
    assert float(line["value"]) == pytest.approx(expected)
    assert line["images"] == line["patients"] == "3"
    assert any(r["metric"] == "fid" for r in rows)


def test_agreement_of_volumes_is_drawn(page, run, tmp_path):
    for pair in run.record["cases"].values():
        made = canonical.load_array(Case.objects.get(code=pair["source"]).series.get(role="mask"))
        turned = made[:, ::-1, ::-1].astype(np.float32)
        write_nifti(tmp_path / f"{pair['case']}.nii.gz", turned)
    score(run, presets=(), segmenter=str(tmp_path))
    address = reverse("run-agreement", args=[run.pk])
    asked = {"preset": "segmentation/1 uploaded", "region": "tumour"}
    drawn = page.get(address, {**asked, "metric": "volume_ml"})
    assert drawn.content.decode().startswith("<svg")
    assert page.get(address, {**asked, "metric": "dice"}).status_code == 404


def test_better_than_doing_nothing_needs_the_whole_interval():
    from synthesis.metrics.resampling import Interval

    def line(metric: str, low: float, high: float) -> score_tables.Line:
        middle = Interval((low + high) / 2, low, high, 9, 9)
        return score_tables.Line("plain/1", "brain", metric, middle, middle, "", middle, 0, "")

    assert line("mae", -2, -1).is_better
    assert line("mae", -2, 1).is_better is False
    assert line("ssim", 0.1, 0.2).is_better
    assert line("c2st_auc", 1, 2).is_better is None
    assert line("mae", math.nan, math.nan).is_better is None
