"""Cases are drawn as the design needs them: in strata, in pairs, in versions, for training."""

from __future__ import annotations

from collections import Counter

import pytest

from readerstudy.core.errors import ReaderStudyError
from readerstudy.reading.scheduling import certificate, lock_and_allocate
from readerstudy.reading.trial import try_draw
from readerstudy.studies import design
from readerstudy.studies.models import StudyCase
from readerstudy.studies.reading_design import ReadingDesign, document_of
from readerstudy.truth.letters import give_letters
from readerstudy.truth.models import Origin
from readerstudy.truth.selection import choose_cases, pool_of
from tests.factories import ReaderFactory, StudyFactory, SubjectFactory, real_case, synthetic_case

pytestmark = pytest.mark.django_db


def study_with(template: str = "visual-turing-test", **settings):
    study = StudyFactory(template=template)
    if settings:
        document = document_of(ReadingDesign(**settings))
        design.set_plan(study=study, document=document, actor=study.created_by)
        study.refresh_from_db()
    return study


def choose(study, n_real: int, n_synthetic: int, **more):
    return choose_cases(
        study=study, n_real=n_real, n_synthetic=n_synthetic, seed=3, actor=study.created_by, **more
    )


def kind_of(case) -> str:
    return Origin.objects.get(case=case).kind


def pairs_of_versions(count: int, role: str = "t1c") -> None:
    for _ in range(count):
        subject = SubjectFactory()
        real_case(subject=subject, roles=[role])
        synthetic_case(subject=subject, roles=[role])


def test_each_class_is_drawn_in_equal_parts_of_its_strata():
    """Han 2018: real T1, T1c, T2 and FLAIR in equal parts among concatenated images."""
    study = study_with("visual-turing-test-mixed")
    for stratum in ("T1", "T1c", "T2", "FLAIR"):
        for _ in range(4):
            real_case(roles=["mixed"], stratum=stratum)
    for _ in range(12):
        synthetic_case(roles=["mixed"], stratum="Concat")
    drawn = choose(study, 10, 10, equal_strata=True)
    counts = Counter(case.stratum for case in drawn)
    assert counts.pop("Concat") == 10
    assert sorted(counts.values()) == [2, 2, 3, 3]
    real_case(roles=["mixed"], stratum="PD")
    with pytest.raises(ReaderStudyError, match="need 2 of the stratum “PD”"):
        choose(study, 10, 10, equal_strata=True)


def test_training_cases_are_of_people_who_are_not_read():
    study = study_with()
    for number in range(6):
        subject = SubjectFactory()
        real_case(subject=subject, roles=["t1c"])
        synthetic_case(subject=subject, roles=["t1c"])
        if number < 2:
            real_case(roles=["t1c"])
    choose(study, 3, 3, n_training=1, both_versions=True)
    rows = study.study_cases.select_related("case")
    training = rows.filter(phase=StudyCase.Phase.TRAINING)
    assert sorted(kind_of(row.case) for row in training) == ["real", "synthetic"]
    subjects = [
        set(part.values_list("case__subject", flat=True))
        for part in (training, rows.filter(phase=StudyCase.Phase.MAIN))
    ]
    assert not subjects[0] & subjects[1]


def test_random_pairs_hold_one_of_each_class_and_their_name_does_not_tell():
    study = study_with("two-alternatives")
    for _ in range(30):
        real_case(roles=["t1c"])
        synthetic_case(roles=["t1c"])
    choose(study, 24, 24, n_training=4)
    first = []
    for item in set(study.study_cases.values_list("item", flat=True)):
        rows = study.study_cases.filter(item=item).order_by("place")
        assert sorted(kind_of(row.case) for row in rows) == ["real", "synthetic"]
        assert len({row.case.subject_id for row in rows}) == 2
        assert rows[0].case.code == item
        first.append(kind_of(rows[0].case))
    assert len(first) == 28
    assert 4 <= first.count("real") <= 24  # by lot: outside with p < 0.0001
    assert study.study_cases.filter(phase="training").count() == 8


def test_reference_and_synthetic_map_of_a_patient_stand_in_their_places():
    study = study_with("wang2023-quality")
    pairs_of_versions(5, role="cbv")
    choose(study, 4, 4)
    for row in study.study_cases.select_related("case"):
        assert kind_of(row.case) == ("real", "synthetic")[row.place]
    subjects = study.study_cases.values_list("item", "case__subject")
    assert len(set(subjects)) == 4
    with pytest.raises(ReaderStudyError, match="equal numbers of both"):
        choose(study, 3, 4)
    with pytest.raises(ReaderStudyError, match="only 5 have both"):
        choose(study, 6, 6)


def test_both_versions_of_a_patient_are_items_of_their_own():
    study = study_with("calabrese2021")
    pairs_of_versions(6)
    choose(study, 4, 4, n_training=2)
    main = study.study_cases.filter(phase="main")
    assert main.count() == 8
    assert Counter(main.values_list("case__subject", flat=True)).most_common(1)[0][1] == 2
    assert study.study_cases.filter(phase="training").count() == 2


def test_letters_are_given_by_lot_at_the_lock_where_the_design_needs_them():
    letters = set()
    for _ in range(12):
        study = study_with("calabrese2021")
        pairs_of_versions(2)
        choose(study, 2, 2)
        give_letters(study)
        by_kind: dict[str, set[str]] = {"real": set(), "synthetic": set()}
        for row in study.study_cases.select_related("case"):
            by_kind[kind_of(row.case)].add(row.group)
        assert [len(found) for found in by_kind.values()] == [1, 1]
        assert by_kind["real"] != by_kind["synthetic"]
        letters |= by_kind["real"]
    assert len(letters) > 2


def test_a_design_without_need_of_letters_gets_none():
    study = study_with()
    real_case(roles=["t1c"])
    synthetic_case(roles=["t1c"])
    choose(study, 1, 1)
    give_letters(study)
    assert set(study.study_cases.values_list("group", flat=True)) == {""}


def locked(study, readers: int):
    for _ in range(readers):
        design.enrol(study=study, reader=ReaderFactory(), actor=study.created_by)
    lock_and_allocate(study=study, actor=study.created_by, seed="seed")
    study.refresh_from_db()
    return study


def test_one_version_of_each_patient_is_read_in_equal_parts_of_the_classes():
    study = study_with("calabrese2021")
    pairs_of_versions(8)
    choose(study, 8, 8)
    locked(study, 4)
    for enrolment in study.readers.all():
        kinds = [kind_of(reading.case) for reading in enrolment.readings.all()]
        assert Counter(kinds) == {"real": 4, "synthetic": 4}
    assert "design" not in certificate(study)


def test_a_trial_draw_counts_the_readings_and_leaves_nothing():
    study = study_with("calabrese2021")
    pairs_of_versions(6)
    choose(study, 6, 6)
    trial = try_draw(study)
    assert trial.invented
    assert [(share.reader, share.readings) for share in trial.shares] == [
        (f"R{number}", 6) for number in (1, 2, 3, 4)
    ]
    assert set(study.study_cases.values_list("group", flat=True)) == {""}


def test_a_trial_draw_names_the_conflict():
    study = study_with(repeats=2, lag=50)
    for _ in range(2):
        real_case(roles=["t1c"])
        synthetic_case(roles=["t1c"])
    choose(study, 2, 2)
    trial = try_draw(study)
    assert "Lower the lag" in trial.conflict
    assert trial.shares == []


def sliced(case, axis: int = 2) -> None:
    """Make the images of a case single slices along an axis of (z, y, x)."""
    for series in case.series.all():
        shape = [20, 24, 22]
        shape[axis] = 1
        series.shape = shape
        series.save(update_fields=("shape",))


def test_real_cases_are_drawn_in_the_form_of_the_synthetic_ones():
    """Volumes never stand among slices that a generator drew, nor slices of another plane."""
    study = study_with()
    volumes = [real_case(roles=["t1c"]) for _ in range(4)]
    sagittal = [real_case(roles=["t1c"]) for _ in range(2)]
    axial = real_case(roles=["t1c"])
    made = [synthetic_case(roles=["t1c"]) for _ in range(2)]
    for case in (*sagittal, *made):
        sliced(case)
    sliced(axial, axis=0)
    pool = pool_of(study)
    assert set(pool.real) == set(sagittal)
    assert pool.of_other_form == len(volumes) + 1
    assert set(choose(study, 2, 2)) == {*sagittal, *made}
    synthetic_case(roles=["t1c"])
    with pytest.raises(ReaderStudyError, match="Choose one generation run"):
        choose(study, 6, 3)
