"""Drawn images and real slices as cases: provenance, equal form, pages, command."""

from __future__ import annotations

import io
import re
import shutil
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from readerstudy.cases import canonical
from readerstudy.cases.ingest import import_folder
from readerstudy.cases.models import Case
from readerstudy.core import jobs
from readerstudy.core.models import Job
from readerstudy.imaging.frames import to_plane
from readerstudy.truth.models import Origin
from synthesis import bench, drawing
from synthesis.drawing_kinds import free_for_slices
from synthesis.folders import run_folder
from synthesis.generate import load_generator
from synthesis.models import Checkpoint, GenerationRun
from synthesis.sample_record import SampleManifest
from synthesis.sampling import BATCH, verify_sample
from synthesis.training.loop import TrainingResult, train
from tests.factories import CoordinatorFactory

from .test_gan_training import gan_config

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def runs(cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, TrainingResult]:
    folder = tmp_path_factory.mktemp("drawing")
    return {
        kind: train(gan_config(kind, max_steps=2), cohort, folder / kind, resume=False)
        for kind in ("stylegan2", "concat")
    }


def stored(runs: dict[str, TrainingResult], kind: str) -> Checkpoint:
    shutil.copytree(runs[kind].run_dir, run_folder(kind))
    return bench.store_checkpoint(kind, job=None)


@pytest.fixture
def style(runs: dict[str, TrainingResult]) -> Checkpoint:
    return stored(runs, "stylegan2")


def quiet(_done: int, _of: int, _message: str) -> None:
    """Take no notice."""


def order(checkpoint: Checkpoint, count: int = 3, **changes: Any) -> drawing.DrawOrder:
    settings = {"count": count, "seed": 7, "truncation": 0.8, **changes}
    return drawing.DrawOrder(str(checkpoint.pk), **settings)


def pictures(case: Case, plane: str = "axial") -> dict[str, Any]:
    """The slices of a case as the reading page shows them."""
    arrays = {one.role: canonical.load_array(one) for one in case.series.all()}
    return {role: to_plane(array, plane) for role, array in arrays.items()}


def test_drawn_images_are_cases_of_one_picture_per_sequence(style: Checkpoint) -> None:
    run = drawing.draw_run(order(style), job=None, progress=quiet)
    cases = list(Case.objects.all())
    assert len(cases) == len(run.record["images"]) == 3
    assert len({case.subject_id for case in cases}) == 3
    for case in cases:
        assert {role: picture.shape for role, picture in pictures(case).items()} == {
            "t1": (1, 16, 16),
            "flair": (1, 16, 16),
        }
        origin = Origin.objects.get(case=case)
        assert origin.kind == Origin.Kind.SYNTHETIC
        assert origin.generation_run == run.pk
    assert run.role == "t1+flair"


def test_every_case_can_be_made_again_from_the_record_of_its_run(style: Checkpoint) -> None:
    run = drawing.draw_run(order(style, count=BATCH + 2), job=None, progress=quiet)
    manifest = SampleManifest.from_dict(run.record["samples"])
    generator = load_generator(run_folder("stylegan2"))
    assert [image.seed for image in manifest.images] == list(range(7, 7 + BATCH + 2))
    for image in manifest.images:
        case = Case.objects.get(code=run.record["cases"][image.uuid]["case"])
        shown = pictures(case)
        pixels = np.concatenate([shown[role] for role in ("t1", "flair")])
        assert verify_sample(manifest, image.uuid, generator, pixels=pixels).exact
        digest = Origin.objects.get(case=case).record_sha256
        assert digest == manifest.alone(image).sha256


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_a_slice_is_shown_in_its_plane_the_right_way_up(plane: str) -> None:
    image = np.arange(1, 65, dtype=np.int16).reshape(8, 8)
    volume = drawing._placed(image, drawing._Form(("t1",), plane, (2.0, 3.0)))
    np.testing.assert_array_equal(to_plane(volume.array, plane)[0], image)
    thin = {"axial": 0, "coronal": 1, "sagittal": 2}[plane]
    spacing = [3.0 if axis == 2 or (axis, thin) == (1, 2) else 2.0 for axis in range(3)]
    spacing[thin] = 1.0
    assert volume.spacing_mm == tuple(spacing)


def test_a_draw_that_was_cut_short_goes_on(style: Checkpoint) -> None:
    class Killed(BaseException):
        """Stands for a worker that dies."""

    def die(done: int, _of: int, _message: str) -> None:
        if done == BATCH:
            raise Killed

    job = Job.objects.create(kind="draw", title="Draw", arguments={})
    asked = order(style, count=2 * BATCH + 1)
    with pytest.raises(Killed):
        drawing.draw_run(asked, job=job, progress=die)
    assert Case.objects.count() == BATCH
    run = drawing.draw_run(asked, job=job, progress=quiet)
    assert GenerationRun.objects.count() == 1
    assert Case.objects.count() == 2 * BATCH + 1
    seeds = [image["seed"] for image in run.record["samples"]["images"]]
    assert seeds == list(range(7, 7 + 2 * BATCH + 1))
    again = drawing.draw_run(asked, job=job, progress=quiet)
    assert again.record == run.record
    assert Case.objects.count() == 2 * BATCH + 1


@pytest.mark.parametrize("kind", ["stylegan2", "concat"])
def test_real_slices_have_the_form_of_drawn_ones(
    runs: dict[str, TrainingResult], sources: list[Case], kind: str
) -> None:
    checkpoint = stored(runs, kind)
    truncation = 1.0 if kind == "concat" else 0.8
    drawing.draw_run(order(checkpoint, truncation=truncation), job=None, progress=quiet)
    drawn = set(Case.objects.exclude(pk__in=[case.pk for case in sources]))
    codes = free_for_slices(checkpoint)
    assert codes == sorted(case.code for case in sources)
    made = drawing.cut_real_slices(str(checkpoint.pk), codes, count=4, seed=1, job=None)
    assert {Origin.objects.get(case=case).kind for case in made} == {Origin.Kind.REAL}
    assert {case.subject for case in made} == {case.subject for case in sources}

    def form(case: Case) -> list[Any]:
        columns = ("role", "dtype", "shape", "spacing_mm", "affine_lps", "facts", "flags")
        more = ("source_orientation", "source_kind", "unit", "preparation")
        return [[getattr(one, name) for name in (*columns, *more)] for one in case.series.all()]

    real, synthetic = form(made[0]), form(drawn.pop())
    assert real == synthetic
    for case in made:
        for picture in pictures(
            case, checkpoint.card["architecture"]["settings"]["plane"]
        ).values():
            assert picture.shape == (1, 16, 16)
            assert picture.max() > 1000
            assert picture.min() == 0
    assert free_for_slices(checkpoint) == codes, "cut slices are not cut again"


def test_slices_of_training_subjects_are_refused(style: Checkpoint, cohort: Path) -> None:
    import_folder(cohort)
    code = Case.objects.order_by("code").first().code
    assert free_for_slices(style) == []
    with pytest.raises(drawing.ReaderStudyError, match="cannot be cut"):
        drawing.cut_real_slices(str(style.pk), [code], count=1, seed=1, job=None)


def test_a_generator_that_needs_sources_draws_nothing(checkpoint: Checkpoint) -> None:
    with pytest.raises(drawing.ReaderStudyError, match="name cases, not a count"):
        drawing.draw_run(order(checkpoint), job=None, progress=quiet)
    with pytest.raises(drawing.NotFound):
        drawing.draw_run(
            drawing.DrawOrder("00000000-0000-0000-0000-000000000000", 1, 0, 1.0),
            job=None,
            progress=quiet,
        )


def test_truncation_of_a_generator_without_one_is_refused_in_words(
    runs: dict[str, TrainingResult],
) -> None:
    with pytest.raises(drawing.ReaderStudyError, match="no truncation"):
        drawing.draw_run(order(stored(runs, "concat")), job=None, progress=quiet)


def command(*arguments: Any) -> str:
    out = io.StringIO()
    call_command(*map(str, arguments), stdout=out)
    return out.getvalue().splitlines()[-1]


def test_the_command_draws_cuts_and_films(style: Checkpoint, sources: list[Case]) -> None:
    line = command("generate", "stylegan2", "--count", 2, "--seed", 4, "--truncation", 0.5)
    run = GenerationRun.objects.get()
    assert line == f"Run {run.pk}: 2 images"
    assert run.record["samples"]["drawing"]["truncation"] == 0.5
    cut = command("generate", "stylegan2", "--real-slices", 2).split()[1:]
    assert Case.objects.filter(code__in=cut).count() == 2
    assert "100 frames in film.mp4" in command("generate", "stylegan2", "--film", 2)
    with pytest.raises(CommandError, match="Ask for one of"):
        command("generate", "stylegan2", "--count", 1, "--film", 2)
    with pytest.raises(CommandError, match="Say what to make"):
        command("generate", "stylegan2")


@pytest.fixture
def page(client: Client) -> Client:
    client.force_login(CoordinatorFactory())
    return client


def text_of(response: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def test_the_page_takes_orders(page: Client, style: Checkpoint, sources: list[Case]) -> None:
    address = reverse("checkpoint", args=[style.pk])
    shown = text_of(page.get(address))
    assert "Draw images" in shown
    assert "3 real cases with every sequence did not train this network" in shown
    assert "Make synthetic counterparts" not in shown
    orders = {
        "draw": {"count": 2, "seed": 1, "truncation": 0.7},
        "cut-slices": {"count": 2, "seed": 1},
        "film": {"stops": 2, "seed": 1, "truncation": 0.7},
    }
    for name, data in orders.items():
        answer = page.post(reverse(name, args=[style.pk]), data)
        assert answer.status_code == 302, text_of(answer)
    jobs.work_through("gpu")
    assert set(Job.objects.values_list("state", flat=True)) == {Job.State.DONE}
    assert Case.objects.count() == len(sources) + 4
    film = page.get(reverse("film-file", args=[style.pk]))
    assert film["Content-Type"] == "video/mp4"
    with av.open(io.BytesIO(b"".join(film.streaming_content))) as played:
        assert sum(1 for _ in played.decode(video=0)) == 100
    shown_again = page.get(address)
    assert "film.mp4" in shown_again.content.decode()
    assert "media-src 'self'" in shown_again["Content-Security-Policy"]
    run = text_of(page.get(reverse("generation-run", args=[GenerationRun.objects.get().pk])))
    assert "Drawn from seeds" in run
    for entry in GenerationRun.objects.get().record["cases"].values():
        assert entry["case"] in run


def test_a_refused_order_stands_in_its_own_form(page: Client, style: Checkpoint) -> None:
    answer = page.post(reverse("draw", args=[style.pk]), {"count": 0, "seed": 1, "truncation": 3})
    assert answer.status_code == 400
    shown = answer.content.decode()
    assert shown.count("field--error") == 2
    assert (
        page.post(reverse("cut-slices", args=[style.pk]), {"count": 1, "seed": 1}).status_code
        == 409
    )
    assert page.get(reverse("film-file", args=[style.pk])).status_code == 404


def test_no_form_for_truncation_where_there_is_none(
    page: Client, runs: dict[str, TrainingResult]
) -> None:
    shown = page.get(reverse("checkpoint", args=[stored(runs, "concat").pk])).content.decode()
    assert 'name="truncation"' not in shown
    ids = re.findall(r'\sid="([^"]+)"', shown)
    assert len(ids) == len(set(ids))


def test_a_generator_of_counterparts_takes_no_such_order(
    page: Client, checkpoint: Checkpoint
) -> None:
    data = {"count": 1, "seed": 1}
    assert page.post(reverse("draw", args=[checkpoint.pk]), data).status_code == 404
