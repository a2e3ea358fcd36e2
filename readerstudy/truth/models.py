"""What readers must not know. Nothing here can be reached from a case by a query."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from readerstudy.cases.models import Case
from readerstudy.core.append_only import append_only
from readerstudy.studies.models import Study


@append_only()
class Origin(models.Model):
    """Whether a case is real, or which generator made it.

    A synthetic case always names its generator. One made here has a ``generation_run``; one made
    elsewhere has none, but may name the run as it is called there in ``external_run``.
    """

    class Kind(models.TextChoices):
        REAL = "real"
        SYNTHETIC = "synthetic"

    case = models.OneToOneField(Case, on_delete=models.PROTECT, related_name="+", primary_key=True)
    kind = models.CharField(max_length=16, choices=Kind)
    generator = models.CharField(max_length=120, blank=True)
    generation_run = models.UUIDField(null=True)
    external_run = models.CharField(
        max_length=120, blank=True, help_text="Name of the run at the place where it was made"
    )
    record_sha256 = models.CharField(
        max_length=64, blank=True, help_text="Hash of the generation record"
    )
    declared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    declared_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="real_has_no_generator",
                condition=models.Q(
                    kind="real", generation_run__isnull=True, generator="", external_run=""
                )
                | models.Q(kind="synthetic"),
            ),
            models.CheckConstraint(
                name="synthetic_names_its_generator",
                condition=models.Q(kind="real") | ~models.Q(generator=""),
            ),
            models.CheckConstraint(
                name="run_is_ours_or_external",
                condition=models.Q(generation_run__isnull=True) | models.Q(external_run=""),
            ),
        )

    def __str__(self) -> str:
        return f"{self.case}: {self.kind}"


@append_only()
class TrainedOn(models.Model):
    """What a generator was trained on, for one of its runs: whoever it is may not be shown.

    The fingerprint is either the digest under which the name of a subject is remembered, or the
    SHA-256 of one of its image files; see `readerstudy.truth.barring`.
    """

    generation_run = models.UUIDField()
    fingerprint = models.CharField(max_length=64, db_index=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("generation_run", "fingerprint"), name="trained_on_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.fingerprint[:8]} trained run {self.generation_run}"


class ReferenceQuerySet(models.QuerySet["ReferenceStandard"]):
    def current(self) -> ReferenceQuerySet:
        """What is held to be true now: rows that no correction superseded."""
        superseded = ReferenceStandard.objects.filter(supersedes__isnull=False)
        return self.exclude(pk__in=superseded.values("supersedes"))


@append_only()
class ReferenceStandard(models.Model):
    """What is held to be true of a case for one endpoint, and how it is known.

    Append-only: a correction is a new row that supersedes the old one and states why.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    endpoint = models.SlugField(max_length=40, help_text="Such as who_grade or progression")
    value = models.CharField(max_length=120)
    method = models.CharField(
        max_length=120, blank=True, help_text="How it is known, such as histopathology"
    )
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    recorded_at = models.DateTimeField(auto_now_add=True)
    supersedes = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(blank=True)

    objects = ReferenceQuerySet.as_manager()

    class Meta:
        ordering = ("endpoint", "recorded_at")
        constraints = (
            models.UniqueConstraint(
                fields=("case", "endpoint"),
                condition=models.Q(supersedes__isnull=True),
                name="one_reference_chain_per_endpoint",
            ),
            models.CheckConstraint(
                name="correction_states_its_reason",
                condition=models.Q(supersedes__isnull=True) | ~models.Q(reason=""),
            ),
        )

    def __str__(self) -> str:
        return f"{self.endpoint} of {self.case}"


@append_only(simulated="study")
class Unblinding(models.Model):
    """The recorded act of joining truth to a closed study."""

    study = models.OneToOneField(Study, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()

    def __str__(self) -> str:
        return f"unblinding of {self.study}"


@append_only(simulated="study")
class CaseUnblinding(models.Model):
    """The recorded act of breaking the blind for one case of a study, with its reason."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()

    class Meta:
        ordering = ("at",)
        constraints = (
            models.CheckConstraint(
                name="unblinding_states_its_reason", condition=~models.Q(reason="")
            ),
        )

    def __str__(self) -> str:
        return f"unblinding of {self.case} in {self.study}"
