"""The list of cases: columns, order, search, counts; no more queries for many cases than few."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from readerstudy.cases import browser_sections, labelling
from readerstudy.cases.browser import totals
from readerstudy.cases.columns import FACTS, choose_columns, columns_of
from readerstudy.cases.flags import MEANINGS, STOP, meaning
from readerstudy.cases.models import Case, Series
from readerstudy.cases.words import preparation_text, size_text
from readerstudy.core.errors import ReaderStudyError
from readerstudy.imaging import flags as imaging_flags
from readerstudy.studies import design
from tests.factories import (
    CaseFactory,
    CoordinatorFactory,
    ReaderFactory,
    SeriesFactory,
    StudyFactory,
    locked_study,
    real_case,
    small_volume,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def user(client):
    user = CoordinatorFactory()
    client.force_login(user)
    return user


@pytest.fixture
def listed(client, user):
    """Return the listing of the page for a query."""
    return lambda **query: client.get(reverse("cases"), query).context["listing"]


def codes(listing) -> list[str]:
    return [row.case.code for row in listing.rows]


def menu(listing, key) -> dict[str, int]:
    return next(
        ({item.label: item.count for item in m.items} for m in listing.menus if m.key == key), {}
    )


def test_more_cases_need_no_more_queries(client, user):
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(reverse("cases"), {"show": "flags"}).status_code == 200
        return len(queries)

    study = StudyFactory(actor=user)
    cases = [CaseFactory(roles=["t1c"])]
    design.set_cases(study=study, cases=cases, actor=user)
    labelling.add_tags(cases=cases, tags=["a"], actor=user)
    few = count()
    cases = [CaseFactory(roles=["t1c", "t2"]) for _ in range(8)]
    labelling.add_tags(cases=cases, tags=["a", "b"], actor=user)
    Series.objects.update(flags=["face"])
    assert count() == few <= 30


def test_everyone_has_columns_of_their_own(client, user):
    CaseFactory(code="0412", roles=["t1", "adc"])
    sent = {"column": ["role:adc", "subject", "tags"], "per_page": "50", "matching": "q=04"}
    response = client.post(reverse("cases-columns"), sent)
    assert response.url == reverse("cases") + "?q=04"
    text = client.get(reverse("cases")).content.decode()
    assert '<th scope="col" class="case-table__slot">ADC</th>' in text
    assert '<th scope="col" class="case-table__slot">T1</th>' not in text
    assert Case.objects.get().subject.code in text
    mine = columns_of(user)
    assert (mine.roles, [c.key for c in mine.facts]) == (("adc",), ["tags", "subject"])
    assert mine.per_page == 50
    other = columns_of(CoordinatorFactory())
    assert (other.roles, other.per_page) == (("t1", "t1c", "t2", "flair"), 12)
    client.post(reverse("cases-columns"), {"usual": "1"})
    assert columns_of(user) == other


@pytest.mark.parametrize(
    ("names", "per_page"), [(["role:nothing"], 12), (["secret"], 12), (["grid"], 13)]
)
def test_a_column_that_does_not_exist_is_refused(user, names, per_page):
    with pytest.raises(ReaderStudyError, match="Choose"):
        choose_columns(user=user, names=names, per_page=per_page)
    assert columns_of(user).per_page == 12


def test_a_wrong_choice_of_columns_says_so_and_changes_nothing(client, user):
    text = client.post(
        reverse("cases-columns"), {"column": ["secret"], "per_page": "12"}, follow=True
    ).content.decode()
    assert "There is no column" in text
    assert client.post(reverse("cases-columns"), {"per_page": "many"}).status_code == 302


def test_completeness_follows_the_chosen_sequences(listed, user):
    CaseFactory(code="0001", roles=["t1", "adc"])
    CaseFactory(code="0002", roles=["t1"])
    assert codes(listed(show="complete")) == []
    choose_columns(user=user, names=["role:t1", "role:adc", "flags"], per_page=12)
    found = listed(show="complete")
    assert codes(found) == ["0001"]
    missing = listed(flag="missing")
    assert codes(missing) == ["0002"]
    assert missing.rows[0].flags[0].words == "ADC missing"


@pytest.mark.parametrize(
    ("find", "expected"),
    [
        ("enhanc", ["0001"]),
        ("follow", ["0002"]),
        ("face", ["0003"]),
        ("lossy", ["0003"]),
        ("withdrawn", ["0004"]),
        ("damaged", ["0002"]),
        ("000", ["0001", "0002", "0003", "0004"]),
    ],
)
def test_stratum_tag_and_flag_are_found(listed, find, expected):
    CaseFactory(code="0001", stratum="Glioma, enhancing")
    second = CaseFactory(code="0002")
    labelling.add_tags(cases=[second], tags=["follow-up"], actor=None)
    second.series.filter(role="t1").update(damage="The stored file is gone.")
    third = CaseFactory(code="0003")
    third.series.filter(role="t1").update(flags=["face", "lossy"])
    CaseFactory(code="0004", withdrawn_at=timezone.now())
    assert codes(listed(q=find)) == expected


def test_menus_count_and_narrow(listed):
    for number, stratum in enumerate(["Glioma", "Glioma", "Metastasis", ""]):
        case = CaseFactory(code=f"000{number}", stratum=stratum)
        labelling.add_tags(cases=[case], tags=["all", f"only {number}"], actor=None)
    Series.objects.filter(case__code="0002").update(flags=["gap"])
    found = listed()
    assert menu(found, "stratum") == {"None": 1, "Glioma": 2, "Metastasis": 1}
    assert menu(found, "tag")["all"] == 4
    assert menu(found, "flag") == {"Gap between slices": 1}
    assert codes(listed(stratum="Glioma")) == ["0000", "0001"]
    assert codes(listed(stratum="-")) == ["0003"]
    assert codes(listed(tag="only 2")) == ["0002"]
    assert codes(listed(flag="gap")) == ["0002"]
    assert codes(listed(stratum="Glioma", tag="only 1")) == ["0001"]


def test_flags_of_series_are_counted_as_they_are_shown(listed):
    flat = CaseFactory(code="0001", roles=[])
    SeriesFactory(case=flat, role="t1", volume=small_volume(1, shape=(1, 10, 8)))
    thick = CaseFactory(code="0002", roles=["t1"])
    thick.series.update(spacing_mm=[6.5, 1, 1])
    named = CaseFactory(code="0003", roles=["t1"])
    named.series.update(flags=["thick", "unheard_of"])
    found = listed()
    assert menu(found, "flag") == {
        "Sequence missing": 3,
        "Thick slices": 2,
        "Two-dimensional": 1,
        "Unheard of": 1,
    }
    words = {row.case.code: [flag.words for flag in row.flags] for row in found.rows}
    assert words == {
        "0001": ["3 missing", "Two-dimensional"],
        "0002": ["3 missing", "Thick slices"],
        "0003": ["3 missing", "Thick slices", "Unheard of"],
    }
    for code in ("thick", "two_dimensional", "unheard_of"):
        for case in listed(flag=code).rows:
            assert code in [flag.code for flag in case.flags]


def test_what_blocks_stands_before_what_waits(listed):
    case = CaseFactory(roles=["t1"])
    case.series.update(flags=["gap", "face"])
    assert [flag.code for flag in listed().rows[0].flags] == ["face", "missing", "gap"]


def test_every_flag_of_the_import_has_words_and_advice():
    for code in imaging_flags.LABELS:
        assert code in MEANINGS, f"{code} needs words in cases/flags.py"
    assert all(said.words and said.advice.endswith(".") for said in MEANINGS.values())
    assert meaning("face").tone == STOP


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("code", ["0001", "0002", "0003"]),
        ("-code", ["0003", "0002", "0001"]),
        ("stratum", ["0002", "0001", "0003"]),
        ("-stratum", ["0001", "0002", "0003"]),
        ("subject", ["0003", "0002", "0001"]),
        ("imported", ["0001", "0002", "0003"]),
        ("-imported", ["0003", "0002", "0001"]),
        ("origin", ["0001", "0002", "0003"]),
    ],
)
def test_the_list_is_sorted_and_cases_without_a_value_come_last(listed, sort, expected):
    CaseFactory(code="0001", roles=[], stratum="B", subject__code="S-9")
    CaseFactory(code="0002", roles=[], stratum="A", subject__code="S-5")
    CaseFactory(code="0003", roles=[], subject__code="S-1")
    assert codes(listed(sort=sort)) == expected


def test_the_order_by_date_tells_nothing_of_blinded_cases(client):
    study = locked_study()
    client.force_login(study.created_by)
    blinded = sorted(study.cases.values_list("code", flat=True))
    for number, code in enumerate(reversed(blinded)):
        at = timezone.now() - timedelta(days=number)
        Case.objects.filter(code=code).update(created_at=at)
    free = real_case(code="zzzz", roles=[])
    for sort in ("imported", "-imported"):
        found = client.get(reverse("cases"), {"sort": sort}).context["listing"]
        assert codes(found) == [free.code, *blinded]


def test_columns_that_could_tell_are_not_shown_for_blinded_cases(client):
    study = locked_study()
    user = study.created_by
    client.force_login(user)
    choose_columns(user=user, names=list(FACTS), per_page=12)
    free = CaseFactory(code="zzzz", roles=["t1c"])
    found = client.get(reverse("cases")).context["listing"]
    for row in found.rows:
        hidden = {key for key in FACTS if row.value(key) == ["not shown"]}
        expected = set() if row.case == free else {"source", "preparation", "imported"}
        assert hidden == expected


def test_the_list_narrows_to_the_cases_of_a_study(client, user):
    study = StudyFactory(actor=user)
    inside = CaseFactory(code="0001", roles=["t1c"])
    CaseFactory(code="0002")
    design.set_cases(study=study, cases=[inside], actor=user)
    response = client.get(reverse("cases"), {"study": str(study.pk)})
    found = response.context["listing"]
    assert codes(found) == ["0001"]
    assert found.columns.roles == ("t1c",)
    assert found.rows[0].flags == []
    assert f"Cases of {study.name}" in response.content.decode()
    for key in (str(StudyFactory().pk), "no-uuid"):
        assert client.get(reverse("cases"), {"study": key}).status_code == 404


def test_totals_count_the_bytes_before_compression():
    SeriesFactory()  # 6 by 10 by 8 voxels of two bytes
    series = SeriesFactory()
    Series.objects.filter(pk=series.pk).update(dtype="<f4")
    assert totals() == {"cases": 2, "series": 2, "bytes": 480 * 2 + 480 * 4}


@pytest.mark.parametrize(
    ("size", "text"), [(9_800_000_000, "9.8 GB"), (12_300_000, "12 MB"), (700, "1 kB")]
)
def test_sizes_in_words(size, text):
    assert size_text(size) == text


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        ([[], []], "as imported"),
        ([[{"name": "register"}, {"name": "n4"}]] * 2, "registered, N4"),
        ([[{"name": "register"}], [{"name": "register"}, {"name": "brain_mask"}]], "registered; "),
        ([[], [{"name": "n4"}]], "not all series alike"),
    ],
)
def test_preparation_in_words(steps, text):
    assert preparation_text(Series(preparation=one) for one in steps).startswith(text)


def test_an_app_above_adds_rows_that_are_no_cases(client, user, monkeypatch):
    monkeypatch.setattr(browser_sections, "_sections", {})
    monkeypatch.setattr(browser_sections, "_lines", [])
    CaseFactory(roles=[])
    entries = [
        browser_sections.Entry(f"Row {n}", "Slice 14 does not follow slice 13", "19 slices")
        for n in range(30)
    ]

    @browser_sections.adds_section
    class Failed:
        key, label = "failed", "Failed"

        def count(self, _user):
            return len(entries)

        def entries(self, _user, start, end):
            return entries[start:end]

    @browser_sections.adds_line
    def last_import(user):
        return browser_sections.HeadLine("last import", timezone.now(), "12 ok, 1 failed", "/x/")

    text = client.get(reverse("cases")).content.decode()
    assert "Failed 30" in text
    assert "12 ok, 1 failed" in text
    second = client.get(reverse("cases"), {"show": "failed", "page": 2}).content.decode()
    assert second.count("Import failed") == 12
    assert "Row 12" in second
    assert "13 to 24 of 30" in second


def test_the_list_works_without_script(client, user):
    case = CaseFactory(code="0412", roles=["t1"])
    text = client.get(reverse("case", args=[case.pk])).content.decode()
    assert (
        f'<input type="checkbox" name="case" value="{case.pk}" aria-label="Choose case 0412">'
        in text
    )
    assert '<button class="button button--small" name="action" value="withdraw">' in text
    assert '<caption class="visually-hidden">Cases, 1 to 1 of 1</caption>' in text
    assert 'aria-sort="ascending"' in text


def test_readers_neither_choose_nor_arrange(client):
    client.force_login(ReaderFactory())
    for name in ("cases-columns", "cases-select"):
        assert client.post(reverse(name)).status_code == 403
