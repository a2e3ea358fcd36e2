"""What was computed of a study, and what was asked for after the data were seen."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from readerstudy.core.models import Job
from readerstudy.studies.models import Study


class ExploratoryAnalysis(models.Model):
    """An endpoint that was asked for after unblinding. Append-only: asking is on record."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+")
    entry = models.JSONField(help_text="As in the plan; see studies/analysis_plan.py")
    reason = models.TextField()
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    asked_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("asked_at",)
        verbose_name_plural = "exploratory analyses"

    def __str__(self) -> str:
        return f"{self.entry['code']} in {self.study}"


class AnalysisRun(models.Model):
    """The results of one plan on one state of the data by one version of the software.

    ``key`` is the digest of the three: the same analysis is never computed twice.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=64, unique=True)
    data_fingerprint = models.CharField(max_length=64)
    plan_sha256 = models.CharField(max_length=64)
    software = models.CharField(max_length=60)
    entries = models.JSONField(help_text="Every endpoint with its tag, planned or exploratory")
    job = models.OneToOneField(Job, null=True, on_delete=models.PROTECT, related_name="+")
    document = models.JSONField(null=True, help_text="See analysis/document.py")
    data_sha256 = models.CharField(max_length=64, blank=True, help_text="Of reads_long.csv")
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-started_at",)

    def __str__(self) -> str:
        return f"analysis {self.key[:8]} of {self.study}"


class DebriefDecision(models.Model):
    """Whether readers may see their own debriefs. Append-only: the last decision holds."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+")
    is_open = models.BooleanField()
    note = models.TextField(blank=True, help_text="Words to the readers, shown on their page")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"debriefs of {self.study} {'open' if self.is_open else 'closed'}"
