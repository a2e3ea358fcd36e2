"""The builder in its own words: forms, refusals in place, hostile texts, example images."""

from __future__ import annotations

import html
import io
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image, PngImagePlugin

from readerstudy.studies import examples, questioning
from readerstudy.studies.asking import shown_question
from readerstudy.studies.fitting import warnings_of, width_px
from readerstudy.studies.models import Enrolment, Option
from readerstudy.studies.question_form import QuestionForm, initial_of
from readerstudy.studies.questioning import question_of, template_of
from readerstudy.studies.templates.registry import TEMPLATES
from tests.factories import CoordinatorFactory, ReaderFactory, StudyFactory, locked_study

pytestmark = pytest.mark.django_db

# Payloads of the kind that OWASP and PortSwigger list: markup, events, addresses, breaking out.
HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    '"><script>alert(1)</script>',
    "'><img src=x onerror=alert(1)>",
    "</textarea><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<iframe src=javascript:alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "<body onload=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<math><mi xlink:href=javascript:alert(1)>",
    "<marquee onstart=alert(1)>",
    "<object data=javascript:alert(1)>",
    "<embed src=javascript:alert(1)>",
    "<style>@import'javascript:alert(1)'</style>",
    "<link rel=stylesheet href=javascript:alert(1)>",
    "<meta http-equiv=refresh content=0;url=javascript:alert(1)>",
    "<base href=javascript:alert(1)//>",
    "<form action=javascript:alert(1)><button>x",
    "<video><source onerror=alert(1)>",
    "{{7*7}}{% debug %}",
    "${alert(1)}",
    "javascript:alert(1)",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\\u003cscript\\u003ealert(1)",
    "<!--><script>alert(1)</script>-->",
]


@pytest.fixture
def study(client):
    made = StudyFactory()
    client.force_login(made.created_by)
    return made


def address(study, code: str = "origin") -> str:
    return reverse("study-question", args=[study.pk, code])


def typed(study, code: str = "origin", **changes) -> dict:
    """What the form of a question sends as it stands, with changes."""
    question = question_of(study, code)
    form = QuestionForm(study=study, question=question, initial=initial_of(question))
    data = {}
    for name, value in form.initial.items():
        if value not in (None, False, "", []):
            data[name] = "on" if value is True else value
    levels = form.levels
    for name in ("code", "label", "anchor", "right"):
        data[f"option_{name}"] = [level[name] for level in levels]
    data["rule_question"] = []
    return {**data, **changes}


@pytest.mark.parametrize("key", list(TEMPLATES))
def test_saving_any_question_of_any_template_unchanged_changes_nothing(client, key):
    study = StudyFactory(template=key)
    client.force_login(study.created_by)
    for question in study.questions.all():
        before = template_of(question)
        form = QuestionForm(study=study, question=question, initial=initial_of(question))
        data = typed(study, question.code)
        for number, rule in enumerate(row for row in form.rules if row["question"]):
            data["rule_question"] = [*data["rule_question"], rule["question"]]
            data[f"rule_how_{number}"] = rule["how"]
            data[f"rule_codes_{number}"] = rule["codes"]
            data[f"rule_number_{number}"] = rule["number"]
        response = client.post(address(study, question.code), data)
        assert response.status_code == 302
        assert template_of(question_of(study, question.code)) == before


def test_the_page_shows_each_question_and_the_open_one_in_the_form(client, study):
    text = client.get(address(study, "cues")).content.decode()
    for shown in ("Is this image real or synthetic?", "Multi-select, 8 choices, optional"):
        assert shown in text
    assert 'value="cues"' in text


def test_a_refusal_stands_in_the_form_with_what_was_typed(client, study):
    data = typed(study, text="Measured or made?", option_code=["same", "same"])
    response = client.post(address(study), data)
    assert response.status_code == 400
    text = response.content.decode()
    assert "two choices with one code" in text
    assert "Measured or made?" in text
    assert question_of(study, "origin").text == "Is this image real or synthetic?"


def test_the_script_gets_what_was_saved_or_why_not(client, study):
    wants = {"accept": "application/json"}
    data = typed(study, text="Measured or made?")
    saved = client.post(address(study), data, headers=wants).json()
    assert json.loads(saved["preview"])["questions"][0]["text"] == "Measured or made?"
    refused = client.post(address(study), {**data, "text": ""}, headers=wants)
    assert refused.status_code == 400
    assert "required" in refused.json()["errors"]["text"]


def test_a_question_may_become_another_kind_and_come_back(client, study):
    for kind in ("number", "ordinal", "confidence", "multi", "single"):
        response = client.post(address(study, "cues"), typed(study, "cues", kind=kind))
        assert response.status_code == 302, response.content.decode()
        assert question_of(study, "cues").kind == kind
    assert question_of(study, "cues").options.count() == 4  # those an ordinal one starts with


def test_rules_of_display_are_made_of_selects(client, study):
    data = typed(
        study,
        "cues",
        show_how="any",
        rule_question=["origin", "confidence"],
        rule_how_0="is",
        rule_codes_0=["origin/synthetic", "confidence/5"],
        rule_how_1="open",
    )
    assert client.post(address(study, "cues"), data).status_code == 302
    assert question_of(study, "cues").show_if == {
        "any": [
            {"question": "origin", "is": ["synthetic"]},
            {"question": "confidence", "answered": False},
        ]
    }


def test_what_is_right_is_typed_beside_the_levels(client, study):
    data = typed(
        study,
        truth_source="reference",
        truth_endpoint="who_grade",
        option_right=["2, 3", "4"],
    )
    assert client.post(address(study), data).status_code == 302
    assert question_of(study, "origin").truth == {
        "source": "reference",
        "endpoint": "who_grade",
        "values": {"2": "real", "3": "real", "4": "synthetic"},
    }


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_texts_stand_as_text(client, study, hostile):
    data = typed(study, text=hostile, help=hostile, option_label=[hostile[:60], "B"])
    assert client.post(address(study), data).status_code == 302
    page = client.get(address(study))
    text = page.content.decode()
    assert question_of(study, "origin").text == hostile
    assert html.escape(hostile) in text
    if "<" in hostile:
        assert hostile not in text
    preview = html.unescape(text.split('data-preview="')[1].split('"')[0])
    assert json.loads(preview)["questions"][0]["text"] == hostile


def test_actions_beside_the_list(client, study):
    act = reverse("study-question-act", args=[study.pk, "origin"])
    client.post(act, {"action": "add", "source": "kind:number"})
    client.post(act, {"action": "add", "source": "park2021-morphology:necrosis"})
    client.post(act, {"action": "down"})
    order = list(study.questions.values_list("code", flat=True))
    assert order == ["necrosis", "origin", "number", "confidence", "cues"]
    response = client.post(act, {"action": "remove"}, follow=True)
    assert "speaks of “origin”" in response.content.decode()
    assert client.post(act, {"action": "explode"}).status_code == 403


def test_a_locked_study_shows_its_questions_and_takes_no_change(client):
    study = locked_study()
    client.force_login(study.created_by)
    assert "The protocol is locked" in client.get(address(study)).content.decode()
    response = client.post(address(study), typed(study, text="Changed"))
    assert response.status_code == 409
    assert question_of(study, "origin").text == "Is this image real or synthetic?"


def picture(mode: str = "RGB", size=(40, 30), kind: str = "PNG", **more) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, 90).save(out, format=kind, **more)
    return out.getvalue()


def upload(client, study, content: bytes, **more):
    where = reverse("study-example", args=[study.pk, "origin", "real"])
    file = SimpleUploadedFile("patient-name.png", content, content_type="image/png")
    return client.post(where, {"example": file, "action": "upload", **more}, follow=True)


def test_an_example_is_stored_without_what_the_file_carried(client, study):
    notes = PngImagePlugin.PngInfo()
    notes.add_text("PatientName", "Doe^Jane")
    upload(client, study, picture(pnginfo=notes))
    level = Option.objects.get(question__study=study, code="real", question__code="origin")
    response = client.get(reverse("example-image", args=[level.example_token]))
    content = response.content
    assert b"Doe" not in content
    with Image.open(io.BytesIO(content)) as shown:
        assert (shown.format, shown.size, shown.getpixel((5, 5))) == ("PNG", (40, 30), (90, 0, 0))
    assert "Content-Disposition" not in response
    assert response["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"no picture", "no PNG or JPEG"),
        (picture()[:60], "no PNG or JPEG"),
        (picture(kind="GIF", mode="L"), "no PNG or JPEG"),
        (picture(mode="L", size=(4097, 1)), "4096 pixels"),
        (picture(mode="I;16"), "8 bits"),
        (b"\x89PNG" + b"0" * (4 * 2**20), "larger than 4 MB"),
    ],
)
def test_a_file_that_is_no_small_picture_is_refused(client, study, content, words):
    assert words in upload(client, study, content).content.decode()
    assert not Option.objects.exclude(example="").exists()


def test_large_pictures_are_made_small():
    with Image.open(io.BytesIO(examples.reencoded(picture(size=(2000, 1000))))) as shown:
        assert shown.size == (512, 256)


def test_an_example_is_shown_to_people_of_its_study_alone(client, study):
    upload(client, study, picture())
    token = Option.objects.exclude(example="").get().example_token
    where = reverse("example-image", args=[token])
    assert "real" not in where
    reader, stranger = ReaderFactory(), ReaderFactory()
    Enrolment.objects.create(study=study, reader=reader, code="R1")
    for user, status in ((reader, 200), (stranger, 404), (CoordinatorFactory(), 404)):
        browser = Client()
        browser.force_login(user)
        assert browser.get(where).status_code == status
    shown = shown_question(question_of(study, "origin"))
    assert [option["example"] for option in shown["options"]] == [token, ""]


def test_an_example_stays_with_its_level_and_goes_with_it(client, study):
    upload(client, study, picture())
    client.post(address(study), typed(study, option_label=["Measured", "Computed"]))
    assert Option.objects.exclude(example="").get().label == "Measured"
    upload(client, study, b"", action="remove")
    assert not Option.objects.exclude(example="").exists()


def test_a_duplicate_starts_without_examples(client, study):
    upload(client, study, picture())
    questioning.duplicate_question(study=study, code="origin", actor=study.created_by)
    assert Option.objects.exclude(example="").count() == 1


def test_texts_that_do_not_fit_are_named():
    option = {"code": "a", "label": "Poor", "anchor": "short", "example": ""}
    question = {
        "code": "q",
        "text": "Contrast",
        "kind": "ordinal",
        "required": True,
        "options": [option, {**option, "anchor": "w" * 60}],
    }
    assert warnings_of([{**question, "options": [option, option]}]) == []
    (warning,) = warnings_of([question])
    assert "longer anchor" in warning.text


def test_widths_are_near_those_of_the_font():
    # Arial's own advances at 14 px: 1000 units an em; H 722 e 556 l 222 l 222 o 556 = 31.9 px.
    assert width_px("Hello") == pytest.approx(31.9, rel=0.08)


@pytest.mark.parametrize("key", list(TEMPLATES))
def test_the_texts_of_the_templates_fit(key):
    study = StudyFactory(template=key)
    shown = [shown_question(question) for question in study.questions.all()]
    assert [one.text for one in warnings_of(shown) if "high" not in one.text] == []
