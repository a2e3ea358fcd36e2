"""Provenance: which checkpoint made which images from what."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from readerstudy.core.models import Job


class Checkpoint(models.Model):
    """Trained weights of a generator, named by their hash, with the model card."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    preset = models.CharField(max_length=64)
    name = models.CharField(max_length=120)
    run_folder = models.CharField(max_length=200, unique=True, help_text="Below the work folder")
    weights_sha256 = models.CharField(max_length=64)
    data_manifest_sha256 = models.CharField(max_length=64)
    card = models.JSONField()
    job = models.ForeignKey(Job, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.name} {self.weights_sha256[:8]}"


class TrainingRun(models.Model):
    """An order to train a network: what, on which images, by whom; followed through its job.

    A run that was stopped or failed goes on under a new job; the row stays the same.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200, unique=True, help_text="Folder below the work folder")
    preset = models.CharField(max_length=64)
    data = models.CharField(max_length=500, blank=True, help_text="Folder of subjects")
    cases = models.JSONField(default=list, help_text="Codes of imported cases, in place of it")
    sequences = models.JSONField(default=list, help_text="Series taken of imported cases")
    overrides = models.JSONField(default=list, help_text='"key=value", beside the preset')
    seed = models.PositiveBigIntegerField()
    device = models.CharField(max_length=16, default="auto")
    processes = models.PositiveSmallIntegerField(default=1)
    start_from = models.ForeignKey(
        Checkpoint, null=True, on_delete=models.PROTECT, related_name="descendants"
    )
    job = models.ForeignKey(Job, null=True, on_delete=models.PROTECT, related_name="+")
    stop_asked_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return self.name


class TrainingSubject(models.Model):
    """A subject whose images trained a checkpoint, by the digest that cases use as well."""

    checkpoint = models.ForeignKey(
        Checkpoint, on_delete=models.PROTECT, related_name="training_subjects"
    )
    source_key = models.CharField(max_length=64)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("checkpoint", "source_key"), name="training_subject_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.source_key[:8]} trained {self.checkpoint}"


class GenerationRun(models.Model):
    """One batch of generated images, with the record from which each can be made again."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    checkpoint = models.ForeignKey(Checkpoint, on_delete=models.PROTECT, related_name="runs")
    job = models.ForeignKey(Job, null=True, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=16)
    seed = models.PositiveBigIntegerField()
    record = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.UniqueConstraint(fields=("checkpoint", "job"), name="one_run_of_a_job"),
        )

    def __str__(self) -> str:
        return f"run of {self.checkpoint}"


class Scoring(models.Model):
    """One order to score a run: settings, what it was scored with, and by which work."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey(GenerationRun, on_delete=models.PROTECT, related_name="scorings")
    settings = models.JSONField(help_text="What was asked for")
    settings_sha256 = models.CharField(max_length=64)
    record = models.JSONField(default=dict, help_text="What it was done with, and what was found")
    job = models.ForeignKey(Job, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.UniqueConstraint(fields=("run", "settings_sha256"), name="scoring_once"),
        )

    def __str__(self) -> str:
        return f"scoring {self.settings_sha256[:8]} of {self.run}"


class Score(models.Model):
    """One quantitative metric of a generated image, or of a whole run (then without a case).

    The preset names how it was made, with its version; what two presets say is never mixed.
    """

    run = models.ForeignKey(GenerationRun, on_delete=models.PROTECT, related_name="scores")
    scoring = models.ForeignKey(Scoring, null=True, on_delete=models.PROTECT, related_name="scores")
    case_code = models.CharField(max_length=16, blank=True)
    candidate = models.CharField(max_length=32, help_text="synthetic, or a baseline")
    region = models.CharField(max_length=16, default="brain")
    preset = models.CharField(max_length=64)
    metric = models.CharField(max_length=32)
    value = models.FloatField(null=True)
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    n = models.PositiveIntegerField(null=True, help_text="Voxels, or images of a set")
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("run", "case_code", "candidate", "region", "preset", "metric"),
                name="score_once",
            ),
        )

    def __str__(self) -> str:
        return f"{self.metric} {self.case_code}"
