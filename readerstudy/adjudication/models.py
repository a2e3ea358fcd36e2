"""Adjudication: discordant answers, the votes of a panel, and the consensus they lead to.

The answers of the readers are never touched: a consensus stands beside them, in versions.
Votes and consensus values are append-only.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models

from readerstudy.core.append_only import append_only
from readerstudy.studies.models import Enrolment, Question, Study


@append_only(may_change=("concluded_at",), simulated="study")
class Round(models.Model):
    """One panel over the discordant answers to some questions of a closed study."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="rounds")
    number = models.PositiveSmallIntegerField()
    least_levels = models.PositiveSmallIntegerField(
        default=1, help_text="Levels of an ordered scale that answers must lie apart to count."
    )
    seed = models.CharField(max_length=64, help_text="Of the order of cases and opinions")
    panel = models.ManyToManyField(Enrolment, related_name="panels")
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    opened_at = models.DateTimeField(auto_now_add=True)
    concluded_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("number",)
        constraints = (
            models.UniqueConstraint(fields=("study", "number"), name="round_number_once"),
        )

    def __str__(self) -> str:
        return f"round {self.number} of {self.study}"


@append_only(simulated="round__study")
class Discordance(models.Model):
    """Answers of readers to one question about one item that do not agree."""

    round = models.ForeignKey(Round, on_delete=models.PROTECT, related_name="discordances")
    question = models.ForeignKey(Question, on_delete=models.PROTECT, related_name="+")
    item = models.CharField(max_length=16)
    arm = models.CharField(max_length=32)
    opinions = models.JSONField(help_text="Values as the readers gave them, without their names")

    class Meta:
        ordering = ("item", "arm", "question__position")
        constraints = (
            models.UniqueConstraint(
                fields=("round", "question", "item", "arm"), name="discordance_once_in_a_round"
            ),
        )

    def __str__(self) -> str:
        return f"{self.question.code} of {self.item}"


@append_only(simulated="discordance__round__study")
class Vote(models.Model):
    """What a member of the panel says: first alone, then knowing the opinions."""

    class Stage(models.TextChoices):
        OWN = "own", "Before seeing the opinions"
        FINAL = "final", "After seeing the opinions"

    discordance = models.ForeignKey(Discordance, on_delete=models.PROTECT, related_name="votes")
    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="votes")
    stage = models.CharField(max_length=8, choices=Stage)
    value = models.JSONField()
    comment = models.TextField(blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("at",)
        constraints = (
            models.UniqueConstraint(
                fields=("discordance", "enrolment", "stage"), name="one_vote_a_stage"
            ),
        )

    def __str__(self) -> str:
        return f"{self.stage} vote of {self.enrolment.code}"


@append_only(simulated="discordance__round__study")
class Consensus(models.Model):
    """The value that a panel agreed on, or that it did not; a later round makes a new version."""

    discordance = models.OneToOneField(
        Discordance, on_delete=models.PROTECT, related_name="consensus"
    )
    value = models.JSONField(null=True, help_text="null: no majority")
    votes_for = models.PositiveSmallIntegerField()
    votes = models.PositiveSmallIntegerField()
    version = models.PositiveSmallIntegerField()
    supersedes = models.OneToOneField(
        "self", null=True, on_delete=models.PROTECT, related_name="superseded_by"
    )
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"version {self.version} for {self.discordance}"


@append_only(simulated="study")
class Adoption(models.Model):
    """A consensus was made the reference standard: which, by whom, when and why, in versions.

    The values themselves stand in the reference standard of each case, which is append-only too.
    """

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="adoptions")
    question = models.ForeignKey(Question, on_delete=models.PROTECT, related_name="+")
    arm = models.CharField(max_length=32)
    endpoint = models.SlugField(max_length=40)
    version = models.PositiveSmallIntegerField(help_text="Of this endpoint in this study, from 1")
    facts = models.JSONField(help_text="Number of cases: recorded, new, corrected, kept, left out")
    after_unblinding = models.BooleanField()
    reason = models.TextField()
    adopted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-at", "-pk")
        constraints = (
            models.UniqueConstraint(
                fields=("study", "endpoint", "version"), name="adoption_version_once"
            ),
            models.CheckConstraint(
                name="adoption_states_its_reason", condition=~models.Q(reason="")
            ),
        )

    def __str__(self) -> str:
        return f"version {self.version} of {self.endpoint} from {self.study}"
