"""Dry runs of studies with simulated readers, and the sample sizes that were stated."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from readerstudy.core.append_only import append_only
from readerstudy.core.models import Job
from readerstudy.studies.models import Study


class Rehearsal(models.Model):
    """One dry run: what was assumed, and what came out. Everything in it is simulated."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+")
    clone = models.OneToOneField(
        Study,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="The study that was read; null before it is made and once it is discarded.",
    )
    number = models.PositiveIntegerField(help_text="Of the study's dry runs, from 1")
    readers = models.PositiveSmallIntegerField()
    seed = models.CharField(max_length=64)
    assumptions = models.JSONField()
    images = models.BooleanField(default=False, help_text="Fetch every image as well")
    result = models.JSONField(null=True)
    archive = models.CharField(
        max_length=64, blank=True, help_text="Name of the stored export, with codes of its own"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    discarded_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-number",)
        constraints = (
            models.UniqueConstraint(fields=("study", "number"), name="dry_run_number_once"),
        )

    def __str__(self) -> str:
        return f"dry run {self.number} of {self.study}"

    @property
    def job(self) -> Job | None:
        """The background work of this dry run; None if the command line did it."""
        return Job.objects.filter(key=f"rehearse:{self.pk}").first()


@append_only(simulated="study")
class SampleSize(models.Model):
    """A sample size stated for a study; the newest one counts, older ones stay."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+")
    aim = models.CharField(max_length=32)
    inputs = models.JSONField()
    result = models.JSONField()
    at = models.DateTimeField(auto_now_add=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ("-at", "-pk")

    def __str__(self) -> str:
        return f"sample size of {self.study}"
