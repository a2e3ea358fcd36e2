"""Cases and their series: what can be shown. No column says real or synthetic."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models


class Subject(models.Model):
    """A person (or phantom) under a pseudonym. Two cases of one subject are never independent."""

    code = models.CharField(max_length=16, unique=True)
    source_key = models.CharField(
        max_length=64,
        unique=True,
        help_text="Keyed digest of the name at the source, so that importing again finds it.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.code


class Tag(models.Model):
    """A word that the staff puts on cases to find them again."""

    name = models.CharField(max_length=40, unique=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class CaseQuerySet(models.QuerySet["Case"]):
    def available(self) -> CaseQuerySet:
        """Cases that were not withdrawn."""
        return self.filter(withdrawn_at__isnull=True)

    def with_role(self, role: str) -> CaseQuerySet:
        """Cases that have a series of this role."""
        return self.filter(series__role=role)


class Case(models.Model):
    """What is shown as one unit."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    code = models.CharField(max_length=16, unique=True)
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="cases")
    source_key = models.CharField(
        max_length=64,
        blank=True,
        help_text="Keyed digest of the case's name at the source; none for a generated case.",
    )
    stratum = models.CharField(
        max_length=60, blank=True, help_text="Group for stratified draws; never shown to readers."
    )
    day = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="Days since the first examination of the subject, for courses; no date.",
    )
    tags = models.ManyToManyField(Tag, related_name="cases", blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_reason = models.TextField(blank=True)

    objects = CaseQuerySet.as_manager()

    class Meta:
        ordering = ("code",)
        constraints = (
            models.UniqueConstraint(
                fields=("source_key",),
                condition=~models.Q(source_key=""),
                name="source_key_of_one_case",
            ),
        )

    def __str__(self) -> str:
        return self.code


class Series(models.Model):
    """One sequence of a case in canonical form: LPS axis order, exact values, no header.

    ``sha256`` is that of the array's bytes, little-endian, in (z, y, x) order; ``object_name``
    names the stored object that holds them compressed.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="series")
    role = models.CharField(max_length=16)
    sha256 = models.CharField(max_length=64)
    object_name = models.CharField(max_length=64)
    dtype = models.CharField(max_length=8)
    shape = models.JSONField(help_text="[z, y, x]")
    spacing_mm = models.JSONField(help_text="[z, y, x]")
    affine_lps = models.JSONField(help_text="4 by 4, voxel (x, y, z) to LPS mm")
    source_orientation = models.CharField(max_length=8)
    source_sha256 = models.CharField(max_length=64, db_index=True)
    source_kind = models.CharField(
        max_length=8, default="nifti", help_text="Form at the source: nifti, dicom or png"
    )
    unit = models.CharField(
        max_length=24, blank=True, help_text="Unit of a quantitative map, such as mL/100 g"
    )
    facts = models.JSONField(default=dict, help_text="Acquisition facts, by allow-list")
    flags = models.JSONField(
        default=list, help_text="Codes of what a person should look at, such as face, gap, thick"
    )
    preparation = models.JSONField(
        default=list, help_text="Steps done since import: name, parameters, tool and version"
    )
    verified_at = models.DateTimeField(
        null=True, help_text="When the stored object was last compared with its checksum"
    )
    damage = models.CharField(
        max_length=120, blank=True, help_text="What was wrong then; empty where all is well"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("role",)
        constraints = (
            models.UniqueConstraint(fields=("case", "role"), name="one_series_per_case_and_role"),
        )

    def __str__(self) -> str:
        return f"{self.case} {self.role}"


class Preparation(models.Model):
    """One run of the preprocessing chain over a case, waiting for a person to accept it."""

    class State(models.TextChoices):
        RUNNING = "running"
        PROPOSED = "proposed"
        ACCEPTED = "accepted"
        REJECTED = "rejected"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="preparations")
    chain = models.JSONField(help_text="Steps asked for, with parameters")
    results = models.JSONField(
        default=dict, help_text="By role: columns of the prepared series and the steps as done"
    )
    state = models.CharField(max_length=16, choices=State, default=State.RUNNING)
    reason = models.TextField(blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.state} preparation of {self.case}"


class ListChoice(models.Model):
    """Which columns of the list of cases one person wants to see."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", primary_key=True
    )
    columns = models.JSONField(default=list, help_text="Names of columns; roles as role:t1")
    per_page = models.PositiveSmallIntegerField(default=12)

    def __str__(self) -> str:
        return f"columns of {self.user}"


class CaseChange(models.Model):
    """One action on several cases: chosen, previewed row by row, then carried out once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    action = models.CharField(max_length=32)
    cases = models.JSONField(help_text="Identifiers of the chosen cases, by code")
    parameters = models.JSONField(null=True, help_text="What was asked for; null: not yet")
    rows = models.JSONField(default=list, help_text="The preview: case, code, old, new, reason")
    revision = models.PositiveIntegerField(default=0, help_text="Counts the previews shown")
    moved = models.JSONField(
        default=list, help_text="Codes that changed between the preview before and this one"
    )
    result = models.JSONField(default=dict, help_text="What was done, and the job, if any")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.action} of {len(self.cases)} cases"
