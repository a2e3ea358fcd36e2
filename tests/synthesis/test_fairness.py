"""The report on what the leak check will see: fair images pass, a planted comb is found."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from django.urls import reverse
from scipy import ndimage

from readerstudy.core import jobs
from readerstudy.core.errors import NotAllowed
from readerstudy.truth import register
from synthesis import fairness
from synthesis.models import GenerationRun
from tests.factories import (
    CaseFactory,
    CoordinatorFactory,
    SeriesFactory,
    StudyFactory,
    real_case,
    small_volume,
)

pytestmark = pytest.mark.django_db
EACH = 8


def volume_of(seed: int, *, comb: bool) -> Any:
    """A smooth ball of some thousand levels; with a comb only every eighth level is used."""
    rng = np.random.default_rng(seed)
    grid = np.meshgrid(*(np.linspace(-1, 1, n) for n in (16, 40, 40)), indexing="ij")
    inside = sum(axis**2 for axis in grid) < 0.8
    texture = ndimage.gaussian_filter(rng.standard_normal(inside.shape), 1.0)
    values = 1200 + 900 * texture / texture.std() * 0.4 + rng.normal(0, 60, inside.shape)
    levels = np.where(inside, np.clip(np.rint(values), 1, 4000), 0)
    if comb:
        levels = np.where(inside, np.maximum(8, 8 * np.rint(levels / 8)), 0)
    return small_volume(seed).__class__(
        **{**vars(small_volume(seed)), "array": levels.astype(np.int16)}
    )


@pytest.fixture
def run(checkpoint: Any) -> GenerationRun:
    return GenerationRun.objects.create(checkpoint=checkpoint, role="t1c", seed=1, record={})


def fill(run: GenerationRun, *, comb: bool) -> None:
    entries = {}
    for number in range(EACH):
        case = CaseFactory(roles=())
        SeriesFactory(case=case, role="t1c", volume=volume_of(number, comb=comb))
        made = register.Generated(generator="toy", run=run.pk, record_sha256="0" * 64)
        register.declare_synthetic(case=case, generated=made, actor=None)
        entries[str(number)] = {"source": None, "case": case.code}
        other = real_case(roles=())
        SeriesFactory(case=other, role="t1c", volume=volume_of(100 + number, comb=False))
    run.record = {"cases": entries, "images": []}
    run.save()


def found(run: GenerationRun) -> dict[str, Any]:
    told = fairness.report(run, tell=lambda *_: None)
    assert (told["n_synthetic"], told["n_real"]) == (EACH, EACH)
    return told | {"by": {cue["family"]: cue for cue in told["cues"]}}


def test_images_of_one_kind_pass(run):
    fill(run, comb=False)
    told = found(run)
    assert not told["found"]
    assert told["reason"] == ""
    assert {cue["shown"]["verdict"] for cue in told["cues"]} <= {"same", "clean", "information"}


def test_the_path_takes_away_a_comb_that_the_stored_levels_have(run):
    """What dithering is for: gaps between stored levels tell, levels as shown do not."""
    fill(run, comb=True)
    comb = found(run)["by"]["comb"]
    assert comb["stored"]["auc"] == 1.0
    assert comb["stored"]["verdict"] == "found"
    assert comb["shown"]["verdict"] != "found"


def test_the_report_is_made_from_the_page_and_shown_there(client, run):
    fill(run, comb=False)
    client.force_login(CoordinatorFactory())
    client.post(reverse("fairness", args=[run.pk]))
    client.post(reverse("fairness", args=[run.pk]))
    assert jobs.work_through("default") == 1
    page = client.get(reverse("generation-run", args=[run.pk])).content.decode()
    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert "Grey-level comb" in text
    assert f"{EACH} synthetic and {EACH} acquired images went through one path" in text


def test_a_blinded_study_hides_it(run):
    fill(run, comb=False)
    coordinator = CoordinatorFactory()
    study = StudyFactory(actor=coordinator)
    case = fairness.images_of(run)[0].case
    study.study_cases.create(case=case, item=case.code)
    study.state = study.State.LOCKED
    study.save()
    with pytest.raises(NotAllowed, match="The report is not made"):
        fairness.request_report(run=run, actor=coordinator)
