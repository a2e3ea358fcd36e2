"""Every template is complete and says what its paper says. Values are typed from the papers."""

from __future__ import annotations

import pytest

from readerstudy.core.errors import ReaderStudyError
from readerstudy.reading.allocation import Design, Item, draw
from readerstudy.studies import analysis_plan, design, viewing
from readerstudy.studies.answers import check_specs
from readerstudy.studies.asking import arms_of, questions_in, slots_in, spec_of
from readerstudy.studies.templates.registry import TEMPLATES
from tests.factories import CoordinatorFactory

KEYS = [
    "visual-turing-test",
    "visual-turing-test-mixed",
    "park2021-turing-session",
    "park2021-morphology",
    "wang2023-quality",
    "wang2023-added-value",
    "calabrese2021",
    "two-alternatives",
    "image-quality",
]


def make(key: str, actor=None):
    return design.create_study(
        template=key,
        name=f"Study {key}",
        reader_title="Reading",
        actor=actor or CoordinatorFactory(),
    )


def options_of(key: str, code: str) -> list[str]:
    question = next(one for one in TEMPLATES[key].questions if one.code == code)
    return [option.code for option in question.options]


def labels_of(key: str, code: str) -> list[str]:
    question = next(one for one in TEMPLATES[key].questions if one.code == code)
    return [option.label for option in question.options]


def test_all_templates_are_offered_in_order():
    assert list(TEMPLATES) == KEYS


@pytest.mark.django_db
@pytest.mark.parametrize("key", KEYS)
def test_a_template_makes_a_whole_study(key):
    study = make(key)
    places = study.display.places
    for arm in arms_of(study):
        check_specs([spec_of(question, places=places) for question in questions_in(study, arm)])
        assert slots_in(study, arm)
    codes = set(study.questions.values_list("code", flat=True))
    assert not analysis_plan.gaps(study.analyses, questions=codes, arms=arms_of(study))
    assert any(entry.primary for entry in study.analyses)
    assert study.instructions.count("\n\n") >= 2
    assert study.plan == TEMPLATES[key].design


@pytest.mark.parametrize("key", KEYS)
def test_a_template_is_neutral_for_readers_and_fits_its_fields(key):
    template = TEMPLATES[key]
    assert viewing.parse(viewing.document_of(template.viewing)) == template.viewing
    plan = analysis_plan.parse(analysis_plan.document_of(template.analysis))
    assert plan == template.analysis
    title = template.reader_title.lower()
    assert not [
        word for word in ("synthetic", "real", "gan", "turing", "quality of") if word in title
    ]
    for question in template.questions:
        assert len(question.text) <= 200
        assert len(question.code) <= 32
        for option in question.options:
            assert len(option.label) <= 60
            assert len(option.anchor) <= 240


@pytest.mark.parametrize("key", KEYS)
def test_truth_maps_to_options_that_exist(key):
    for question in TEMPLATES[key].questions:
        truth, codes = question.truth, {option.code for option in question.options}
        if truth.get("source") == "reference":
            assert truth["endpoint"]
            assert set(truth["values"].values()) == codes
        elif question.kind == "place":
            assert truth == {"source": "origin", "place": "synthetic"}
        elif truth:
            assert {truth["real"], truth["synthetic"]} == codes


def rows_of(key: str, items: list[Item], readers: int):
    plan = TEMPLATES[key].design
    arms = tuple(arm.code for arm in TEMPLATES[key].arms) or ("main",)
    return draw(
        Design(
            readers=tuple(f"R{n + 1}" for n in range(readers)),
            items=tuple(items),
            arms=arms,
            plan=plan.plan,
            schedule=plan.schedule,
            counterbalance=plan.counterbalance,
            repeats=plan.repeats,
            lag=plan.lag if plan.repeats else 1,
        ),
        "seed",
    )


def singles(count: int) -> list[Item]:
    return [Item(f"i{n}", f"s{n}") for n in range(count)]


@pytest.mark.parametrize(
    ("key", "items", "readers", "each"),
    [
        ("visual-turing-test", 100, 1, 100),  # Han: 50 real and 50 synthetic, one physician
        ("visual-turing-test-mixed", 100, 1, 100),
        ("park2021-turing-session", 100, 2, 100),  # 45 and 38 wrong calls are 55 % and 62 % right
        ("park2021-morphology", 200, 2, 200),  # "reviewed 200 MRI datasets"
        ("wang2023-quality", 756, 2, 756),  # 756 examinations, two neuroradiologists
        ("wang2023-added-value", 100, 4, 200),  # each case in both arms
        ("two-alternatives", 50, 2, 50),
        ("image-quality", 100, 3, 110),  # ten cases are shown twice
    ],
)
def test_the_allocation_can_be_drawn_with_the_numbers_of_the_paper(key, items, readers, each):
    numbers = TEMPLATES[key].numbers
    assert numbers.readers == readers
    shown = numbers.real if numbers.choice != "counts" else numbers.real + numbers.synthetic
    assert shown == items
    rows = rows_of(key, singles(items), readers)
    assert len(rows) == readers * each


def test_calabrese_shows_each_reader_one_version_of_each_patient():
    assert TEMPLATES["calabrese2021"].numbers.readers == 4
    assert TEMPLATES["calabrese2021"].numbers.real == 80
    items = [
        Item(f"{version}{n}", f"s{n}", group=version, unit=f"s{n}")
        for n in range(80)
        for version in "ab"
    ]
    rows = rows_of("calabrese2021", items, 4)
    for reader in ("R1", "R2", "R3", "R4"):
        mine = [row.item for row in rows if row.reader == reader]
        assert len({item[1:] for item in mine}) == len(mine) == 80
        assert sum(item[0] == "a" for item in mine) == 40
    assert sum(row.item[0] == "a" for row in rows) == 160


def test_han_2018():
    template = TEMPLATES["visual-turing-test"]
    assert options_of("visual-turing-test", "origin") == ["real", "synthetic"]
    assert (template.numbers.real, template.numbers.synthetic) == (50, 50)
    assert TEMPLATES["visual-turing-test-mixed"].numbers.equal_strata


def test_park_2021_sessions():
    template = TEMPLATES["park2021-turing-session"]
    assert (template.numbers.synthetic, template.numbers.readers) == (50, 2)
    assert [entry.stop_below for entry in template.analysis if entry.primary] == [0.6]
    assert [slot.role for slot in template.viewing.slots] == ["t1c", "flair"]
    assert template.is_session


def test_park_2021_morphology():
    key = "park2021-morphology"
    assert labels_of(key, "location") == ["Frontal or insula", "Thalamus or brainstem", "Other"]
    assert labels_of(key, "enhancement") == ["Rim enhancing", "Thick nodular", "Patch enhancing"]
    assert labels_of(key, "necrosis") == ["Yes", "No"]
    assert labels_of(key, "surrounding") == ["Tumour dominant", "Oedema dominant"]
    assert labels_of(key, "margin") == ["Clear", "Indistinct"]
    codes = [question.code for question in TEMPLATES[key].questions]
    assert codes == ["location", "enhancement", "necrosis", "surrounding", "margin"]
    assert all("cohen_kappa" in one.methods for one in TEMPLATES[key].analysis if one.primary)
    assert all(one.consensus for one in TEMPLATES[key].analysis if one.endpoint == "comparison")


def test_wang_2023_quality():
    template = TEMPLATES["wang2023-quality"]
    assert [q.code for q in template.questions] == ["distribution", "degree", "border"]
    for question in template.questions:
        assert [(o.code, o.label) for o in question.options] == [
            ("0", "Very poor"),
            ("1", "Poor"),
            ("2", "Good"),
            ("3", "Very good"),
        ]
    assert (template.design.pairing, template.design.sides_drawn) == ("subject", False)
    assert [slot.label for slot in template.viewing.slots] == ["Reference CBV", "Synthetic CBV"]
    assert {slot.unit for slot in template.viewing.slots} == {"mL/100 g"}


def test_wang_2023_added_value():
    template = TEMPLATES["wang2023-added-value"]
    standard, with_map = template.arms
    assert standard.slots == ("t1", "t2", "t1c", "flair", "adc")
    assert with_map.slots == ("t1", "t2", "t1c", "flair", "adc", "cbv")
    assert (template.design.schedule, template.design.washout_days) == ("crossover", 28)
    asked = [question.code for question in template.questions]
    assert asked[::2] == ["grade", "prognosis", "progression"]
    for question in template.questions[1::2]:
        assert question.kind == "confidence"
        assert len(question.options) in (5, 6)
    primary = [entry for entry in template.analysis if entry.primary]
    assert {entry.endpoint for entry in primary} == {"mrmc-difference"}
    assert {entry.adjustment for entry in primary} == {"bonferroni"}


def test_calabrese_2021():
    template = TEMPLATES["calabrese2021"]
    assert {question.code for question in template.questions} == {"origin", "enhancement", "grade"}
    grade = next(question for question in template.questions if question.code == "grade")
    assert {k: v for k, v in grade.truth["values"].items() if k.isdigit()} == {
        "2": "lower",
        "3": "lower",
        "4": "high",
    }
    assert template.design.plan == "one_version"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"endpoint": "guess"}, "no endpoint"),
        ({"methods": ["magic"]}, "no method 'magic'"),
        ({"margin": 2}, "between 0 and 1"),
        ({"adjustment": "holm"}, "needs the family"),
        ({"colour": "red"}, "unknown entry"),
    ],
)
def test_an_analysis_that_cannot_be_carried_out_is_refused(change, words):
    entry = {"code": "a", "title": "A", "question": "origin", "endpoint": "turing", **change}
    with pytest.raises(ReaderStudyError, match=words):
        analysis_plan.parse([entry])


def test_a_plan_says_what_the_study_lacks():
    (entry, *_) = TEMPLATES["wang2023-added-value"].analysis
    found = analysis_plan.gaps((entry,), questions=["grade"], arms=["standard"])
    assert len(found) == 2
    assert "grade_confidence" in found[0]
    assert "standard_cbv" in found[1]
