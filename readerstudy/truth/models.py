"""What readers must not know. Nothing here can be reached from a case by a query."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from readerstudy.cases.models import Case
from readerstudy.studies.models import Study


class Origin(models.Model):
    """Whether a case is real, or which generation run made it."""

    class Kind(models.TextChoices):
        REAL = "real"
        SYNTHETIC = "synthetic"

    case = models.OneToOneField(Case, on_delete=models.PROTECT, related_name="+", primary_key=True)
    kind = models.CharField(max_length=16, choices=Kind)
    generator = models.CharField(max_length=120, blank=True)
    generation_run = models.UUIDField(null=True)
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
                name="synthetic_has_a_run",
                condition=models.Q(kind="real", generation_run__isnull=True)
                | models.Q(kind="synthetic", generation_run__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.case}: {self.kind}"


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
    supersedes = models.OneToOneField(
        "self", null=True, on_delete=models.PROTECT, related_name="superseded_by"
    )
    reason = models.TextField(blank=True)

    class Meta:
        ordering = ("endpoint", "recorded_at")
        constraints = (
            models.UniqueConstraint(
                fields=("case", "endpoint"),
                condition=models.Q(supersedes__isnull=True),
                name="one_reference_chain_per_endpoint",
            ),
        )

    def __str__(self) -> str:
        return f"{self.endpoint} of {self.case}"


class Unblinding(models.Model):
    """The recorded act of joining truth to a closed study."""

    study = models.OneToOneField(Study, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()

    def __str__(self) -> str:
        return f"unblinding of {self.study}"
