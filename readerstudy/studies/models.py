"""The protocol of a reader study: questions, cases, readers, phases."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models

from readerstudy.cases.models import Case
from readerstudy.core.append_only import append_only
from readerstudy.core.tokens import new_token
from readerstudy.studies import analysis_plan, reading_design
from readerstudy.studies.answers import KINDS
from readerstudy.studies.viewing import Viewing, parse


@append_only(
    may_change=None,
    frozen=("id", "rehearsal_of", "created_by", "created_at"),
    sealed=("protocol", "protocol_hash"),
    simulated="self",
)
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
    design = models.JSONField(
        default=reading_design.default_document,
        help_text="Who reads what, in which order; see studies/reading_design.py.",
    )
    analysis_plan = models.JSONField(
        default=list,
        blank=True,
        help_text="What is computed, stated before the lock; see studies/analysis_plan.py.",
    )
    letters = models.JSONField(
        default=dict, blank=True, help_text="Own texts of the e-mails; see studies/letters.py."
    )
    margin = models.FloatField(
        default=0.1, help_text="Equivalence margin around guessing, as a proportion."
    )
    state = models.CharField(max_length=16, choices=State, default=State.DRAFT)
    protocol = models.JSONField(null=True)
    protocol_hash = models.CharField(max_length=64, blank=True)
    rehearsal_of = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.PROTECT,
        related_name="rehearsals",
        help_text="Set for a dry run with simulated readers; never analysed with real ones.",
    )
    cloned_from = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="clones"
    )
    archived_at = models.DateTimeField(null=True)
    programme = models.CharField(
        max_length=80,
        blank=True,
        help_text="Sessions that judge one generator while it is trained share this name.",
    )
    checkpoint = models.CharField(
        max_length=120,
        blank=True,
        help_text="Of a session: the state of the generator that is judged. For the staff.",
    )
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

    @property
    def version(self) -> int:
        """Number of the protocol in force: 1 as locked, one more for each amendment."""
        return self.amendments.count() + 1

    @property
    def protocol_in_force(self) -> dict[str, Any]:
        """The protocol with all amendments; ``protocol`` stays as it was locked."""
        last = self.amendments.order_by("-version").first()
        return last.protocol if last else self.protocol or {}

    @property
    def hash_in_force(self) -> str:
        """The hash of the protocol in force."""
        last = self.amendments.order_by("-version").first()
        return last.protocol_hash if last else self.protocol_hash

    @property
    def readers(self) -> models.QuerySet[Enrolment]:
        """Enrolments that count: no previews, no robot, nobody who left before the lock."""
        left = models.Q(withdrawn_at__isnull=False) & (
            models.Q(study__locked_at__isnull=True)
            | models.Q(withdrawn_at__lt=models.F("study__locked_at"))
        )
        return self.enrolments.filter(kind=Enrolment.Kind.READER).exclude(left)

    @property
    def plan(self) -> reading_design.ReadingDesign:
        """Who reads what, in which order, checked."""
        return reading_design.parse(self.design)

    @property
    def analyses(self) -> analysis_plan.Plan:
        """The planned analysis, checked."""
        return analysis_plan.parse(self.analysis_plan)


class StudyCase(models.Model):
    """A case that is part of a study. Rows of one ``item`` are shown beside each other."""

    class Phase(models.TextChoices):
        MAIN = "main"
        TRAINING = "training", "Training, with feedback and outside the analysis"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="study_cases")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    item = models.CharField(max_length=16, help_text="Code of the case shown first in it.")
    place = models.PositiveSmallIntegerField(default=0)
    phase = models.CharField(max_length=16, choices=Phase, default=Phase.MAIN)
    group = models.CharField(
        max_length=1,
        blank=True,
        help_text="Opaque letter of a class, for runs and versions; what it means is truth.",
    )
    feedback = models.JSONField(
        null=True, help_text="Of a training case: right answers by question, disclosed at lock."
    )

    class Meta:
        ordering = ("item", "place")
        constraints = (
            models.UniqueConstraint(fields=("study", "case"), name="case_once_in_a_study"),
            models.UniqueConstraint(
                fields=("study", "item", "place"), name="place_once_in_an_item"
            ),
        )

    def __str__(self) -> str:
        return f"{self.study}: {self.case}"


class Question(models.Model):
    """One question asked at every reading, under a stable code."""

    class Kind(models.TextChoices):
        SINGLE = "single", KINDS["single"]
        ORDINAL = "ordinal", KINDS["ordinal"]
        MULTI = "multi", KINDS["multi"]
        CONFIDENCE = "confidence", KINDS["confidence"]
        NUMBER = "number", KINDS["number"]
        TEXT = "text", KINDS["text"]
        REGION = "region", KINDS["region"]
        PLACE = "place", KINDS["place"]
        RANKING = "ranking", KINDS["ranking"]

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
    bound_to = models.SlugField(
        max_length=32, blank=True, help_text="Of a confidence: the question it speaks of."
    )
    minimum = models.FloatField(null=True, blank=True)
    maximum = models.FloatField(null=True, blank=True)
    whole = models.BooleanField(default=False, help_text="Whole numbers only")
    unit = models.CharField(max_length=24, blank=True)
    equal = models.BooleanField(
        default=False, help_text="Images beside each other may be judged equal."
    )
    show_if = models.JSONField(
        default=dict, blank=True, help_text="Display rule; see studies/answers.py."
    )
    arms = models.JSONField(
        default=list, blank=True, help_text="Codes of the arms that ask it; empty: all."
    )
    truth = models.JSONField(
        default=dict,
        blank=True,
        help_text="How the right answer follows from origin or reference standard.",
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
    anchor = models.CharField(max_length=240, blank=True)
    example = models.CharField(
        max_length=64, blank=True, help_text="Name of the stored PNG of an example image"
    )
    example_token = models.CharField(
        max_length=32, blank=True, help_text="Opaque name of the example in its address"
    )

    class Meta:
        ordering = ("position",)
        constraints = (
            models.UniqueConstraint(fields=("question", "code"), name="option_code_once"),
        )

    def __str__(self) -> str:
        return self.label


class Arm(models.Model):
    """A condition under which cases are read: which series are shown."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="arms")
    position = models.PositiveSmallIntegerField()
    code = models.SlugField(max_length=32)
    name = models.CharField(max_length=80, help_text="For the staff; readers never see it.")
    slots = models.JSONField(
        default=list, blank=True, help_text="Codes of the slots shown; empty: all."
    )

    class Meta:
        ordering = ("position",)
        constraints = (models.UniqueConstraint(fields=("study", "code"), name="arm_code_once"),)

    def __str__(self) -> str:
        return self.name


@append_only(simulated="study")
class Amendment(models.Model):
    """A change of a protocol after lock, with its reason. The former version stays."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="amendments")
    version = models.PositiveSmallIntegerField()
    protocol = models.JSONField()
    protocol_hash = models.CharField(max_length=64)
    changes = models.JSONField(
        default=list, help_text="What changed: a list of {what, old, new}, in words."
    )
    tells_readers = models.BooleanField(
        default=False, help_text="Readers acknowledge it before they go on."
    )
    reason = models.TextField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("version",)
        constraints = (
            models.UniqueConstraint(fields=("study", "version"), name="version_once_in_a_study"),
        )

    def __str__(self) -> str:
        return f"version {self.version} of {self.study}"


class Membership(models.Model):
    """What a member of the staff may do in a study."""

    class Role(models.TextChoices):
        COORDINATOR = "coordinator"
        BLINDED_COORDINATOR = "blinded", "Blinded coordinator: progress, no answers"
        ADJUDICATOR = "adjudicator"
        STATISTICIAN = "statistician"
        AUDITOR = "auditor"

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


@append_only(
    may_change=(
        *("withdrawn_at", "withdrawn_by", "withdrawal_reason"),
        *("replaces", "enrolled_at"),  # of whoever left a draft and comes back
    ),
    simulated="study",
)
class Enrolment(models.Model):
    """A reader in a study, known there by a code only."""

    class Kind(models.TextChoices):
        READER = "reader"
        PREVIEW = "preview", "Preview by the staff; never analysed"
        ROBOT = "robot", "The leak sentinel; never analysed"
        ADJUDICATOR = "adjudicator", "A seat on a panel; votes on discordant cases alone"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="enrolments")
    reader = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="enrolments"
    )
    code = models.CharField(max_length=8)
    kind = models.CharField(max_length=16, choices=Kind, default=Kind.READER)
    token = models.CharField(max_length=32, unique=True, default=new_token)
    enrolled_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(
        null=True, help_text="Reads no more; what was read stays and is marked."
    )
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    withdrawal_reason = models.TextField(blank=True)
    replaces = models.OneToOneField(
        "self",
        null=True,
        on_delete=models.PROTECT,
        related_name="replaced_by",
        help_text="The withdrawn reader whose open cases this one took over.",
    )

    class Meta:
        ordering = ("code",)
        constraints = (
            models.UniqueConstraint(
                fields=("study", "reader"),
                condition=models.Q(kind="reader"),
                name="reader_once_in_a_study",
            ),
            models.UniqueConstraint(fields=("study", "code"), name="reader_code_once"),
        )

    def __str__(self) -> str:
        return f"{self.code} in {self.study}"


@append_only(simulated="enrolment__study")
class Acknowledgement(models.Model):
    """A reader has read what an amendment changed."""

    enrolment = models.ForeignKey(
        Enrolment, on_delete=models.PROTECT, related_name="acknowledgements"
    )
    amendment = models.ForeignKey(
        Amendment, on_delete=models.PROTECT, related_name="acknowledgements"
    )
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("enrolment", "amendment"), name="amendment_acknowledged_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.enrolment.code}: {self.amendment}"


@append_only(may_change=("handed_over",), simulated="enrolment__study")
class Letter(models.Model):
    """An e-mail to a reader about a study, as a record that it was handed to the mail system."""

    class Kind(models.TextChoices):
        INVITATION = "invitation", "Invitation"
        OPENING = "opening", "The study is open"
        REMINDER = "reminder", "Reminder"

    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="letters")
    kind = models.CharField(max_length=16, choices=Kind)
    version = models.PositiveSmallIntegerField(
        default=1, help_text="Of the study's own words in letters of this kind."
    )
    subject = models.CharField(max_length=200, blank=True)
    text = models.TextField(
        blank=True, help_text="As it was sent; a personal link is left out, since it opens the door"
    )
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Empty: sent by the schedule.",
    )
    at = models.DateTimeField(auto_now_add=True)
    handed_over = models.BooleanField(help_text="Did the mail system take it?")

    class Meta:
        ordering = ("-at",)

    def __str__(self) -> str:
        return f"{self.kind} to {self.enrolment.code}"


@append_only(simulated="study")
class LetterVersion(models.Model):
    """The study's own words in one kind of letter; changed words are a new version."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="letter_versions")
    kind = models.CharField(max_length=16, choices=Letter.Kind)
    version = models.PositiveSmallIntegerField()
    text = models.TextField(blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("kind", "-version")
        constraints = (
            models.UniqueConstraint(
                fields=("study", "kind", "version"), name="letter_version_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} of {self.study}, version {self.version}"


@append_only(simulated="study")
class Deviation(models.Model):
    """A departure from the protocol that a person put on record."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="deviations")
    enrolment = models.ForeignKey(
        Enrolment, null=True, on_delete=models.PROTECT, related_name="deviations"
    )
    happened_on = models.DateField()
    text = models.CharField(max_length=200)
    reason = models.TextField(blank=True)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("happened_on", "recorded_at")

    def __str__(self) -> str:
        return self.text
