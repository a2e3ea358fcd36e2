"""What was computed of a study, and what was asked for after the data were seen."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from readerstudy.core.append_only import append_only
from readerstudy.core.models import Job
from readerstudy.studies.models import Study


@append_only(simulated="study")
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


@append_only(
    may_change=("job", "document", "data_sha256", "finished_at", "archive", "archive_job"),
    sealed=("document", "data_sha256", "finished_at"),
    simulated="study",
)
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
    archive = models.CharField(
        max_length=64, blank=True, help_text="Name of the stored zip: report, tables, data, scripts"
    )
    archive_job = models.OneToOneField(
        Job, null=True, on_delete=models.PROTECT, related_name="+", help_text="Writes the archive"
    )
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-started_at",)

    def __str__(self) -> str:
        return f"analysis {self.key[:8]} of {self.study}"


@append_only(simulated="study")
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


class RatingsImport(models.Model):
    """Ratings that were collected elsewhere: the table as it came, then what was made of it.

    Once stored, the table is dropped: what is kept are the facts that the mapping names.
    """

    class State(models.TextChoices):
        DRAFT = "draft"
        STORED = "stored"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120)
    state = models.CharField(max_length=16, choices=State, default=State.DRAFT)
    file_name = models.CharField(max_length=200)
    file_sha256 = models.CharField(max_length=64)
    table = models.JSONField(null=True, help_text="Until it is stored; see ratings/tables.py")
    cases_name = models.CharField(max_length=200, blank=True)
    cases_sha256 = models.CharField(max_length=64, blank=True)
    cases_table = models.JSONField(null=True, help_text="The table of cases, until it is stored")
    mapping = models.JSONField(default=dict, help_text="See analysis/importing/mapping.py")
    facts = models.JSONField(null=True, help_text="See analysis/importing/facts_json.py")
    facts_sha256 = models.CharField(max_length=64, blank=True)
    faults = models.JSONField(default=list, help_text="What was found wrong when it was stored")
    left_out = models.PositiveIntegerField(default=0, help_text="Answers left out for a fault")
    job = models.OneToOneField(Job, null=True, on_delete=models.PROTECT, related_name="+")
    document = models.JSONField(null=True, help_text="The results; see analysis/document.py")
    software = models.CharField(max_length=60, blank=True, help_text="That made the results")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    stored_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return self.name
