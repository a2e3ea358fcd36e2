"""Numbers and times as they stand on the pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from readerstudy.core.templatetags import readerstudy as tags

THIN = "\u202f"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.598, "59.8"), (1.0, "100.0"), (-0.031, "−3.1"), (None, "–"), (float("nan"), "–")],
)
def test_percent(value, text):
    assert tags.percent(value) == text


@pytest.mark.parametrize(("value", "text"), [(-0.5, "−0.50"), (0.125, "0.12"), (None, "–")])
def test_fixed(value, text):
    assert tags.fixed(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(-0.0321234, "−0.0321"), (12345.6, "12346"), (0.00001234, "1.23e−05"), (None, "–")],
)
def test_digits(value, text):
    assert tags.digits(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.0004, "< 0.001"), (0.001, "0.001"), (0.47, "0.470"), (None, "–")]
)
def test_pvalue(value, text):
    assert tags.pvalue(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(60, f"1{THIN}min"), (61, f"2{THIN}min"), (1679, f"28{THIN}min"), (5400, f"1.5{THIN}h")],
)
def test_durations_round_minutes_up_and_turn_to_hours(value, text):
    assert tags.duration(value) == text


def test_seconds():
    assert tags.seconds(22.6) == f"23{THIN}s"
    assert tags.seconds(None) == "–"


def test_moments_are_written_in_utc_whatever_their_zone():
    at = datetime(2026, 11, 20, 11, 58, tzinfo=timezone(timedelta(hours=1)))
    assert tags.moment(at) == (
        '<time datetime="2026-11-20T10:58:00Z" data-time="datetime">20 Nov 2026, 10:58 UTC</time>'
    )
    assert tags.moment(at.astimezone(UTC), "date").endswith(">20 Nov 2026</time>")


def test_an_empty_address_is_the_beginning_of_none():
    assert not tags.starts_with("/staff/cases/", "")
    assert tags.starts_with("/staff/cases/", "/staff/")
