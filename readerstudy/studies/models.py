"""The protocol of a reader study: questions, cases, readers, phases."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from readerstudy.cases.models import Case
from readerstudy.core.tokens import new_token
from readerstudy.studies.viewing import Viewing, parse


class Study(models.Model):
    """A reader study. From lock on, what defines it is frozen in ``protocol``."""

    class State(models.TextChoices):
        DRAFT = "draft"
        LOCKED = "locked"
        RUNNING = "running"
        CLOSED = "closed"
        UNBLINDED = "unblinded"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120, help_text="For the staff.")
    reader_title = models.CharField(
        max_length=120, help_text="What readers see; it must not tell what is compared."
    )
    template = models.CharField(max_length=64)
    instructions = models.TextField()
    viewing = models.JSONField(help_text="How images are shown; see studies/viewing.py.")
    margin = models.FloatField(
        default=0.1, help_text="Equivalence margin around guessing, as a proportion."
    )
    state = models.CharField(max_length=16, choices=State, default=State.DRAFT)
    protocol = models.JSONField(null=True)
    protocol_hash = models.CharField(max_length=64, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    locked_at = models.DateTimeField(null=True)
    running_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    unblinded_at = models.DateTimeField(null=True)
    cases = models.ManyToManyField(Case, through="StudyCase", related_name="+")

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return self.name

    @property
    def display(self) -> Viewing:
        """The display, checked."""
        return parse(self.viewing)

    @property
    def slots(self) -> list[str]:
        """Roles shown beside each other, in order."""
        return self.display.roles


class StudyCase(models.Model):
    """A case that is part of a study."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="study_cases")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("study", "case"), name="case_once_in_a_study"),
        )

    def __str__(self) -> str:
        return f"{self.study}: {self.case}"


class Question(models.Model):
    """One question asked at every reading, under a stable code."""

    class Kind(models.TextChoices):
        SINGLE = "single", "One of several"
        ORDINAL = "ordinal", "Ordered levels"
        MULTI = "multi", "Any number"
        REGION = "region", "A place on the image"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="questions")
    position = models.PositiveSmallIntegerField()
    code = models.SlugField(max_length=32)
    text = models.CharField(max_length=200)
    kind = models.CharField(max_length=16, choices=Kind)
    required = models.BooleanField(default=True)
    may_be_not_evaluable = models.BooleanField(default=False)
    help = models.TextField(blank=True)
    region = models.JSONField(
        null=True, blank=True, help_text='{"kind", "role"} of a place that is asked for'
    )

    class Meta:
        ordering = ("position",)
        constraints = (
            models.UniqueConstraint(fields=("study", "code"), name="question_code_once"),
            models.UniqueConstraint(fields=("study", "position"), name="question_position_once"),
        )

    def __str__(self) -> str:
        return self.text


class Option(models.Model):
    """One choice or level of a question, under a stable code."""

    question = models.ForeignKey(Question, on_delete=models.PROTECT, related_name="options")
    position = models.PositiveSmallIntegerField()
    code = models.SlugField(max_length=32)
    label = models.CharField(max_length=60)
    anchor = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ("position",)
        constraints = (
            models.UniqueConstraint(fields=("question", "code"), name="option_code_once"),
        )

    def __str__(self) -> str:
        return self.label


class Membership(models.Model):
    """What a member of the staff may do in a study."""

    class Role(models.TextChoices):
        COORDINATOR = "coordinator"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="memberships")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="memberships"
    )
    role = models.CharField(max_length=24, choices=Role)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("study", "user"), name="one_role_per_study"),
        )

    def __str__(self) -> str:
        return f"{self.user}: {self.role} of {self.study}"


class Enrolment(models.Model):
    """A reader in a study, known there by a code only."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="enrolments")
    reader = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="enrolments"
    )
    code = models.CharField(max_length=8)
    token = models.CharField(max_length=32, unique=True, default=new_token)
    enrolled_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("code",)
        constraints = (
            models.UniqueConstraint(fields=("study", "reader"), name="reader_once_in_a_study"),
            models.UniqueConstraint(fields=("study", "code"), name="reader_code_once"),
        )

    def __str__(self) -> str:
        return f"{self.code} in {self.study}"
