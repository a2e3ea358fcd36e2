"""The pages of the display check: what the server asks, keeps, and lets through."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from readerstudy.core.audit import broken_links
from readerstudy.core.models import AuditRecord
from readerstudy.readers.display_check_device import COOKIE, browser_of, device_of
from readerstudy.readers.display_check_run import KEY
from readerstudy.readers.display_check_targets import draw
from readerstudy.readers.models import DisplayCheck
from readerstudy.reading.models import ReadingSession
from readerstudy.studies.models import Enrolment
from tests.factories import DEVICE, ReaderFactory, make_display_check, running_study
from tests.tampering import unguarded

pytestmark = pytest.mark.django_db

ID = DEVICE.id
HERE = f"{ID}_1440_900_1_24"
HOME = "/read/"


@pytest.fixture
def study():
    return running_study()


@pytest.fixture
def enrolment(study):
    return Enrolment.objects.filter(study=study).first()


@pytest.fixture
def reader(client, enrolment):
    client.force_login(enrolment.reader)
    client.cookies[COOKIE] = HERE
    return enrolment.reader


@pytest.fixture
def reading(enrolment):
    return reverse("read", args=[enrolment.token])


def begin(client, *, goal=HOME, **given):
    sent = {"light": "dim", "width": 1440, "height": 900, "zoom": "1", "goal": goal, **given}
    return client.post(reverse("display-check"), sent)


def type_in(client, text, *, place=None):
    place = len(client.session[KEY]["answers"]) if place is None else place
    sent = {"place": place, "answer": text} if text else {"place": place, "nothing": "1"}
    return client.post(reverse("display-check-answer"), sent)


def go_through(client, *, missed=(), **given):
    """Read every target but the missed ones; returns the answer to the last."""
    begin(client, **given)
    for place, target in enumerate(draw(client.session[KEY]["seed"])):
        response = type_in(client, "" if place in missed else target.character)
    return response


def test_a_check_is_gone_through_and_kept(client, reader, reading):
    response = go_through(client, goal=reading)
    check = DisplayCheck.objects.get()
    assert response.url == f"/check-display/{check.pk}/?next=" + reading.replace("/", "%2F")
    assert check.user == reader
    assert check.outcome == "passed"
    assert (check.device, check.screen_width, check.screen_height) == (ID, 1440, 900)
    assert check.smallest == {"black": 2, "dark": 4, "mid": 2, "light": 4, "white": 2}
    assert [one["answer"] for one in check.answers] == [t.character for t in draw(check.seed)]
    assert check.conditions["light"] == "dim"
    assert AuditRecord.objects.filter(action="display_check.passed", actor=reader).count() == 1
    assert not list(broken_links())
    text = client.get(response.url).content.decode()
    assert "This display is good for reading" in text
    assert f'href="{reading}"' in text


def test_what_was_not_seen_is_said_in_words_with_advice(client, reader):
    response = go_through(client, missed=(2, 3))
    assert DisplayCheck.objects.get().outcome == "look"
    text = client.get(response.url).content.decode().replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert "On black you saw 3.1 % steps; 1.6 % is wanted" in text
    assert "Dim the room" in text


def test_no_page_holds_a_character_that_is_to_be_read(client, reader):
    """The only thing that tells is the picture: two checks differ in it and nowhere else."""
    pages = []
    for _ in range(2):
        begin(client)
        page = client.get(reverse("display-check")).content.decode()
        pages.append(re.sub(r'(name="csrfmiddlewaretoken" value=")\w+', r"\1", page))
        seed = client.session[KEY]["seed"]
        assert seed not in page
        client.post(reverse("display-check-again"))
    assert pages[0] == pages[1]


def test_only_the_present_target_is_drawn(client, reader):
    begin(client)
    picture = client.get(reverse("display-check-patch", args=[0]))
    assert picture["Content-Type"] == "image/png"
    assert "no-store" in picture["Cache-Control"]
    assert client.get(reverse("display-check-patch", args=[1])).status_code == 404
    type_in(client, "A")
    assert client.get(reverse("display-check-patch", args=[0])).status_code == 404
    assert client.get(reverse("display-check-patch", args=[1])).status_code == 200


def test_a_check_is_gone_on_with_after_a_break_and_an_answer_sent_twice_counts_once(client, reader):
    begin(client)
    type_in(client, "A")
    type_in(client, "C")
    type_in(client, "E", place=1)
    assert client.session[KEY]["answers"] == ["A", "C"]
    assert "3 of 13" in client.get(reverse("display-check")).content.decode()


def test_a_check_is_begun_again_on_another_display_or_after_half_an_hour(client, reader):
    begin(client)
    client.cookies[COOKIE] = f"{'f' * 32}_1440_900_1_24"
    assert "Begin the check" in client.get(reverse("display-check")).content.decode()
    client.cookies[COOKIE] = HERE
    session = client.session
    session[KEY] = {**session[KEY], "began": session[KEY]["began"] - 31 * 60}
    session.save()
    assert "Begin the check" in client.get(reverse("display-check")).content.decode()
    assert type_in(client, "A").url == reverse("display-check")


def test_without_a_display_or_a_light_the_check_does_not_begin(client, reader):
    refused = begin(client, light="")
    assert refused.status_code == 400
    assert "Say how light the room is" in refused.content.decode()
    del client.cookies[COOKIE]
    refused = begin(client)
    assert refused.status_code == 400
    assert "Allow cookies and scripts" in refused.content.decode()
    assert KEY not in client.session


@pytest.mark.parametrize("goal", ["https://elsewhere.example/", "//elsewhere.example/", "/staff/"])
def test_a_check_leads_to_no_other_place(client, reader, goal):
    assert go_through(client, goal=goal).url.endswith("?next=%2Fread%2F")


def test_the_result_of_another_reader_is_not_shown(client, reader):
    other = make_display_check()
    assert client.get(reverse("display-check-result", args=[other.pk])).status_code == 404


# What the server asks before reading.


def test_off_nobody_is_sent_to_the_check(client, reader, reading, settings):
    settings.DISPLAY_CHECK = "off"
    assert client.get(reading).status_code == 200


@pytest.mark.parametrize("policy", ["advised", "required"])
def test_reading_begins_after_a_passed_check(client, reader, reading, settings, policy):
    settings.DISPLAY_CHECK = policy
    sent = client.get(reading)
    assert sent.status_code == 302
    assert sent.url == "/check-display/?next=" + reading.replace("/", "%2F")
    go_through(client, goal=reading)
    assert client.get(reading).status_code == 200


def test_advised_one_click_goes_on_without_and_is_kept(client, reader, reading, settings):
    settings.DISPLAY_CHECK = "advised"
    page = client.get(client.get(reading).url).content.decode()
    assert "Read without the check" in page
    gone = client.post(reverse("display-check-skip"), {"goal": reading})
    assert gone.url == reading
    assert client.get(reading).status_code == 200
    assert DisplayCheck.objects.get().outcome == "skipped"
    assert AuditRecord.objects.filter(action="display_check.skipped", actor=reader).exists()


def test_advised_a_failed_check_asks_once_more_then_lets_through(client, reader, reading, settings):
    settings.DISPLAY_CHECK = "advised"
    page = client.get(go_through(client, goal=reading, missed=(9, 10, 11)).url).content.decode()
    assert "Read on this display nevertheless" in page
    assert client.get(reading).status_code == 302
    client.post(reverse("display-check-skip"), {"goal": reading})
    assert client.get(reading).status_code == 200


def test_required_there_is_no_way_round(client, reader, reading, settings):
    settings.DISPLAY_CHECK = "required"
    page = client.get(client.get(reading).url).content.decode()
    assert "Read without the check" not in page
    assert client.post(reverse("display-check-skip"), {"goal": reading}).status_code == 403
    page = client.get(go_through(client, goal=reading, missed=(12,)).url).content.decode()
    assert "nevertheless" not in page
    assert "write to the coordinator" in page
    assert client.get(reading).status_code == 302
    assert [check.outcome for check in DisplayCheck.objects.all()] == ["look"]


def test_a_later_failed_check_takes_the_place_of_a_passed_one(client, reader, reading, settings):
    settings.DISPLAY_CHECK = "required"
    go_through(client)
    go_through(client, missed=(0, 1, 2, 3))
    assert client.get(reading).status_code == 302


@pytest.mark.parametrize(("days", "status"), [(29, 200), (31, 302)])
def test_a_check_holds_for_thirty_days(client, reader, reading, settings, days, status):
    settings.DISPLAY_CHECK = "required"
    make_display_check(reader)
    with unguarded():
        DisplayCheck.objects.update(at=timezone.now() - timedelta(days=days))
    assert client.get(reading).status_code == status


@pytest.mark.parametrize(
    ("cookie", "status"),
    [
        (HERE, 200),
        (f"{ID}_1440_900_1.25_24", 200),  # the page was zoomed, Chromium
        (f"{ID}_1152_720_1.25_24", 200),  # the page was zoomed, Firefox
        (f"{ID}_2560_1440_1_24", 302),  # the window went to another screen
        (f"{ID}_1440_900_1_30", 302),
        (f"{'f' * 32}_1440_900_1_24", 302),  # another browser or computer
        ("nonsense", 302),
    ],
)
def test_a_check_holds_on_its_own_display_alone(client, reader, reading, settings, cookie, status):
    settings.DISPLAY_CHECK = "required"
    make_display_check(reader)
    client.cookies[COOKIE] = cookie
    assert client.get(reading).status_code == status


def test_a_check_holds_for_its_own_reader_alone(client, reader, reading, settings):
    settings.DISPLAY_CHECK = "required"
    make_display_check(ReaderFactory())
    assert client.get(reading).status_code == 302


# Where it is shown.


def test_the_first_page_says_how_it_stands_with_this_display(client, reader, settings):
    def card():
        return client.get(reverse("display-check-card")).content.decode()

    assert "Not checked" in client.get(reverse("reader-home")).content.decode()
    check = make_display_check(reader)
    assert "Checked" in card()
    assert "13 of 13" in card()
    until = check.at + timedelta(days=settings.DISPLAY_CHECK_DAYS)
    assert f"{until.day} {until:%b %Y}" in card()
    make_display_check(reader, missed=(7,))
    assert "Look at it" in card()
    with unguarded():
        DisplayCheck.objects.update(at=timezone.now() - timedelta(days=40))
    assert "Check is over" in card()


def test_each_sitting_keeps_the_check_of_its_display(client, reader, enrolment):
    resume = reverse("api-resume", args=[enrolment.token])
    client.post(resume, content_type="application/json")
    first = make_display_check(reader)
    client.post(resume, content_type="application/json")
    client.post(resume, content_type="application/json")
    kept = ReadingSession.objects.filter(enrolment=enrolment).values_list("display_check")
    assert list(kept) == [(None,), (first.pk,)]


def test_the_staff_sees_whether_and_when(client, reader, study, enrolment):
    client.post(reverse("api-resume", args=[enrolment.token]), content_type="application/json")
    client.force_login(study.created_by)
    board, people = reverse("study", args=[study.pk]), reverse("readers")
    assert client.get(board).content.decode().count("not checked") == 1
    assert "not checked" in client.get(people).content.decode()
    ReadingSession.objects.update(display_check=make_display_check(reader))
    for page in (board, people):
        assert "Passed" in client.get(page).content.decode()


# What a cookie and a browser's name may say.


def test_a_cookie_tells_the_display():
    assert device_of(HERE) == DEVICE


@pytest.mark.parametrize(
    "cookie",
    [
        None,
        "",
        ID,
        HERE + "x",
        HERE.upper(),
        f"{ID}_1440_900_1_24_7",
        "../../etc",
        f"{ID}_1_9_1_24",
    ],
)
def test_any_other_cookie_tells_none(cookie):
    assert device_of(cookie) is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/141.0.0.0 Safari/537.36",
            "Chrome 141",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0",
            "Edge 141",
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
            "Firefox 143",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 "
            "(KHTML, like Gecko) Version/18.5 Safari/605.1.15",
            "Safari 18",
        ),
        ("curl/8.1", "unknown"),
    ],
)
def test_a_browser_is_kept_by_name_and_main_version(text, name):
    assert browser_of(text) == name
