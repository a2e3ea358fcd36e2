"""What the leak sentinel found, run by run, and when a cue blocks the launch of a study."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from readerstudy.core.append_only import append_only
from readerstudy.studies.models import Study


class SentinelLimits(models.Model):
    """When a cue blocks, where a study departs from the usual limits."""

    study = models.OneToOneField(
        Study, on_delete=models.PROTECT, related_name="+", primary_key=True
    )
    auc = models.FloatField(default=0.6)
    p = models.FloatField(default=0.01, help_text="Level of the permutation test over all cues")
    least_ms = models.FloatField(
        default=5.0, help_text="Smallest difference in response time that counts, in ms"
    )
    content_blocks = models.BooleanField(
        default=False, help_text="Noise and extent of the images block too."
    )
    changed_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"limits of the sentinel in {self.study}"


@append_only(simulated="study")
class SentinelRun(models.Model):
    """One finished run. No column says which class a cue points to."""

    class Verdict(models.TextChoices):
        CLEAN = "clean", "No cue separates"
        FOUND = "found", "A cue tells the classes apart"
        UNDEFINED = "undefined", "Nothing could be estimated"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    seed = models.PositiveBigIntegerField()
    limits = models.JSONField(help_text="auc, p, permutations, level, least_ms, content_blocks")
    images_hash = models.CharField(
        max_length=64, help_text="Of stored images, display form and allocation at the time"
    )
    software = models.CharField(max_length=64)
    requests = models.PositiveIntegerField(help_text="Answers received")
    presentations = models.PositiveIntegerField()
    n_cases = models.PositiveIntegerField()
    results = models.JSONField(help_text="By cue: family, what, auc, low, high, p, verdict, reason")
    words = models.JSONField(help_text="Words of truth: kind, place, count")
    verdict = models.CharField(max_length=16, choices=Verdict)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ("-at",)

    def __str__(self) -> str:
        return f"{self.verdict} run of {self.study}, {self.at:%Y-%m-%d %H:%M}"
