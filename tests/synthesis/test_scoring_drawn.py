"""Images drawn from nothing are scored as sets, against slices cut as their training slices."""

from __future__ import annotations

import numpy as np
import pytest

from synthesis import drawing, scoring
from synthesis.metrics.imagesets import NamedVolume
from synthesis.models import Score
from synthesis.run_images import made_volumes, real_volumes, roles_of, training_volumes
from synthesis.score_orders import ScoreOrder
from tests.synthesis.bench_jobs import silent
from tests.synthesis.test_drawing import order, runs, stored, style

pytestmark = pytest.mark.django_db
__all__ = ["runs", "style"]


def sizes(volumes: list[NamedVolume]) -> set[tuple[int, ...]]:
    return {volume.values.shape for volume in volumes}


def test_each_sequence_is_a_set_of_its_own(style, sources, cohort):
    run = drawing.draw_run(order(style, count=8), job=None, progress=silent)
    roles = roles_of(run)
    assert len(roles) == 2
    for role in roles:
        made, real = list(made_volumes(run, role)), list(real_volumes(run, role))
        train = list(training_volumes(run, role, cohort))
        assert len(made) == 8
        assert sizes(made) == sizes(real) == sizes(train)
        assert all(one.values.min() >= 0 and one.values.max() <= 4095 for one in real)
        assert {one.patient for one in real} == {case.subject.code for case in sources}
    done = scoring.score_run(
        run,
        ScoreOrder(presets=(), extractor="random-resnet", training=str(cohort), draws=2),
        job=None,
        progress=silent,
    )
    rows = Score.objects.filter(scoring=done, candidate="synthetic", metric="kid")
    assert {one.region for one in rows} == set(roles)
    assert all(one.value is not None for one in rows)
    assert set(done.record["sets"]) == set(roles)
    assert not Score.objects.filter(scoring=done, candidate="do nothing").exists()


def test_pooled_sequences_are_compared_with_slices_of_all_of_them(runs, sources):
    run = drawing.draw_run(
        order(stored(runs, "concat"), count=2, truncation=1.0), job=None, progress=silent
    )
    (role,) = roles_of(run)
    sequences = run.checkpoint.card["architecture"]["settings"]["roles"]
    real = list(real_volumes(run, role))
    numbers = {one.name for one in real}
    assert len(real) == len(numbers) * len(sequences)
    assert len(list(made_volumes(run, role))) == 2
    assert np.ptp(real[0].values) > 0


def test_a_sagittal_slice_is_scored_as_it_is_looked_at(runs, sources):
    wanted = order(stored(runs, "concat"), count=2, truncation=1.0)
    run = drawing.draw_run(wanted, job=None, progress=silent)
    (role,) = roles_of(run)
    made, real = list(made_volumes(run, role)), list(real_volumes(run, role))
    assert sizes(made) == sizes(real)
    _, generator = drawing.open_generator(wanted.checkpoint)
    seeds = range(wanted.seed, wanted.seed + 2)
    drawn = [one.pixels[0] for one in drawing.draw(generator, seeds, truncation=1.0)]
    shown = [one.values[0, ::-1, ::-1] for one in made]
    for image in drawn:
        assert any(np.array_equal(image, seen) for seen in shown)
