"""Blinded reading: the stored allocation, what is shown, and what was answered.

Submissions and ratings are append-only: a correction is a new row that supersedes an old one.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from readerstudy.cases.models import Case
from readerstudy.core.append_only import append_only
from readerstudy.core.tokens import new_token
from readerstudy.readers.models import DisplayCheck
from readerstudy.studies.models import Enrolment, Option, Question, Study


@append_only(simulated="study")
class Allocation(models.Model):
    """The result of the draw, stored once at lock. The rows are the readings."""

    study = models.OneToOneField(Study, on_delete=models.PROTECT, related_name="allocation")
    seed = models.CharField(max_length=64)
    algorithm = models.CharField(max_length=64)
    design = models.JSONField(help_text="Input of the draw: readers, items, constraints.")
    table_hash = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"allocation of {self.study}"


@append_only(simulated="enrolment__study")
class AllocationPart(models.Model):
    """The draw for a reader who was added after the lock; the first draw stays as it is."""

    enrolment = models.OneToOneField(
        Enrolment, on_delete=models.PROTECT, related_name="allocation_part"
    )
    seed = models.CharField(max_length=64)
    algorithm = models.CharField(max_length=64)
    design = models.JSONField(help_text="Input of the draw, with all readers; one is kept.")
    table_hash = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"allocation of {self.enrolment}"


class DisplayForm(models.Model):
    """The one form in which all images of a study reach its readers."""

    study = models.OneToOneField(Study, on_delete=models.PROTECT, related_name="display_form")
    slots = models.JSONField(
        help_text="Series shown, in order: plane, grid, chunks and their stored lengths, windows"
    )
    overlay_buckets = models.JSONField(
        null=True, help_text="Stored lengths of the overlay's chunks; null without an overlay"
    )
    rule = models.JSONField(help_text="Display rule and its version")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"display form of {self.study}"


class EncodedSeries(models.Model):
    """One series of one case in the study's display form: names of stored objects."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=16)
    objects_by_encoding = models.JSONField(help_text='{"zstd": [sha256, …], "gzip": […]}')
    pixel_sha256 = models.CharField(max_length=64)
    frame_to_lps = models.JSONField(
        null=True, help_text="4 by 4, mm of the case frame to patient LPS mm"
    )
    facts = models.JSONField(
        default=dict, help_text="Voxels of the foreground, and how many clipped"
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("study", "case", "role"), name="encoded_once_per_study"
            ),
        )

    def __str__(self) -> str:
        return f"{self.case} {self.role} encoded"


@append_only(
    may_change=("offered_at", "completed_at", "reopened_at", "withdrawn_at", "draft"),
    simulated="enrolment__study",
)
class Reading(models.Model):
    """One case shown once to one reader."""

    token = models.CharField(max_length=32, unique=True, default=new_token)
    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="readings")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    item = models.CharField(max_length=16, help_text="Code of the item; see StudyCase.item.")
    arm = models.CharField(max_length=32, default="main")
    period = models.PositiveSmallIntegerField(default=1, help_text="0: training")
    position = models.PositiveIntegerField()
    stage = models.PositiveSmallIntegerField(
        default=1, help_text="Of a sequential reading; a stage is sealed when the next is shown."
    )
    repeat = models.PositiveSmallIntegerField(default=0, help_text="1: shown a second time")
    sides = models.JSONField(default=list, help_text="Member of the item in each place")
    offered_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    reopened_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(
        null=True, help_text="Taken out of this study by an amendment; see reading/planned.py."
    )
    draft = models.JSONField(null=True)

    class Meta:
        ordering = ("period", "position")
        constraints = (
            models.UniqueConstraint(
                fields=("enrolment", "period", "position"), name="one_reading_per_position"
            ),
        )

    def __str__(self) -> str:
        return f"{self.enrolment.code} position {self.position}"


@append_only(simulated="reading__enrolment__study")
class ReadingImage(models.Model):
    """The address of one series in one presentation; a repeat of a case gets another one."""

    token = models.CharField(max_length=32, unique=True, default=new_token)
    reading = models.ForeignKey(Reading, on_delete=models.PROTECT, related_name="images")
    slot = models.CharField(max_length=20, help_text="Code of the slot, or role of the overlay")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=16)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("reading", "slot"), name="one_image_per_slot"),
        )

    def __str__(self) -> str:
        return f"image {self.slot} of {self.reading}"


class PeriodOpening(models.Model):
    """When a reader may begin a later period: the washout, enforced by the server."""

    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="openings")
    period = models.PositiveSmallIntegerField()
    opens_at = models.DateTimeField()
    planned_at = models.DateTimeField(
        null=True, help_text="When it would have opened, had nobody opened it early."
    )
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Who opened it before its time; a deviation from the protocol.",
    )
    reason = models.TextField(blank=True)

    class Meta:
        ordering = ("period",)
        constraints = (
            models.UniqueConstraint(fields=("enrolment", "period"), name="one_opening_per_period"),
        )

    def __str__(self) -> str:
        return f"period {self.period} of {self.enrolment.code}"


class ReadingSession(models.Model):
    """One sitting of a reader."""

    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="sessions")
    started_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    paused_at = models.DateTimeField(null=True)
    display_check = models.ForeignKey(
        DisplayCheck, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ("started_at",)

    def __str__(self) -> str:
        return f"session of {self.enrolment.code} from {self.started_at:%Y-%m-%d %H:%M}"


@append_only(simulated="reading__enrolment__study")
class Submission(models.Model):
    """What a browser sent, once per client-made key, with the server's verdict."""

    class Outcome(models.TextChoices):
        ACCEPTED = "accepted"
        LATE = "late", "Late: kept, not part of the planned data"
        DUPLICATE = "duplicate", "The reading had an answer already; kept, not counted"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reading = models.ForeignKey(Reading, on_delete=models.PROTECT, related_name="submissions")
    session = models.ForeignKey(
        ReadingSession, null=True, on_delete=models.PROTECT, related_name="submissions"
    )
    key = models.UUIDField(unique=True)
    body_hash = models.CharField(max_length=64)
    body = models.JSONField(help_text="Answers, clock and viewer as the browser sent them")
    received_at = models.DateTimeField()
    outcome = models.CharField(max_length=16, choices=Outcome)
    reason = models.TextField(blank=True)
    supersedes = models.OneToOneField(
        "self", null=True, on_delete=models.PROTECT, related_name="superseded_by"
    )

    class Meta:
        ordering = ("received_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("reading",),
                condition=Q(outcome="accepted", supersedes__isnull=True),
                name="one_accepted_chain_per_reading",
            ),
        )

    def __str__(self) -> str:
        return f"{self.outcome} submission for {self.reading}"


def _only(form: str) -> Q:
    """Return the condition that a rating has this form and no other."""
    values = ("choice", "choices", "number", "text", "region", "places")
    given = Q(**{f"{name}__isnull": name != form for name in values})
    return given & Q(not_evaluable=form == "not_evaluable")


@append_only(simulated="submission__reading__enrolment__study")
class Rating(models.Model):
    """One value for one question, in exactly one form."""

    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="ratings")
    question = models.ForeignKey(Question, on_delete=models.PROTECT, related_name="+")
    choice = models.ForeignKey(Option, null=True, on_delete=models.PROTECT, related_name="+")
    choices = models.JSONField(null=True, help_text="Codes of a question with any number")
    number = models.FloatField(null=True)
    text = models.TextField(null=True)  # noqa: DJ001 null says that the rating is of another form
    places = models.JSONField(
        null=True,
        help_text='Images beside each other: {"shown": [places], "members": [members]}',
    )
    region = models.JSONField(
        null=True, help_text="A place: points in the case frame and in patient LPS mm, measures"
    )
    not_evaluable = models.BooleanField(default=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("submission", "question"), name="one_rating_per_question"
            ),
            models.CheckConstraint(
                name="rating_has_exactly_one_form",
                condition=(
                    _only("choice")
                    | _only("choices")
                    | _only("number")
                    | _only("text")
                    | _only("places")
                    | _only("region")
                    | _only("not_evaluable")
                ),
            ),
        )

    def __str__(self) -> str:
        return f"{self.question.code} of {self.submission_id}"
