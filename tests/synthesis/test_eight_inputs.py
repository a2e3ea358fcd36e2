"""The eight inputs of Calabrese 2021 as imported cases: each file finds its role."""

from __future__ import annotations

import pytest

from readerstudy.cases.ingest import import_folder
from readerstudy.cases.models import Case
from readerstudy.truth import register
from synthesis import bench, case_data
from synthesis.data.subjects import find_subjects
from synthesis.networks.residual_unet3d import ALL_INPUTS
from tests.synthesis.volumes import write_cohort

pytestmark = pytest.mark.django_db
SEQUENCES = (*ALL_INPUTS, "t1c")


def test_imported_cases_train_and_feed_the_network_of_eight_inputs(tmp_path):
    import_folder(write_cohort(tmp_path, ["case-a", "case-b"], roles=SEQUENCES))
    cases = list(Case.objects.all())
    assert len(cases) == 2
    for case in cases:
        assert set(case.series.values_list("role", flat=True)) == set(SEQUENCES)
        assert tuple(bench.inputs_of(case, ALL_INPUTS)) == ALL_INPUTS
    register.declare_real(cases=cases, actor=None)
    codes = case_data.usable_cases(SEQUENCES)
    assert codes == sorted(case.code for case in cases)
    written = case_data.write_cases(codes, SEQUENCES)
    assert [one.name for one in find_subjects(written, SEQUENCES).subjects] == codes
