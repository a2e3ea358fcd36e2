"""How images come in: one import, its uploaded files and its result.

Names at the source are identifiers. They stay in the import's own folder under ``WORK_ROOT``
and are removed with it; no column here holds one.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from readerstudy.core.models import Job


class Import(models.Model):
    """One act of bringing images in, by upload, from a folder or from a DICOMweb server."""

    class Kind(models.TextChoices):
        UPLOAD = "upload", "Upload"
        FOLDER = "folder", "Folder on the server"
        DICOMWEB = "dicomweb", "DICOMweb server"

    class State(models.TextChoices):
        COLLECTING = "collecting", "Waiting for files"
        QUEUED = "queued"
        RUNNING = "running"
        FINISHED = "finished"
        FAILED = "failed"
        CANCELLED = "cancelled"
        CLOSED = "closed", "Closed: the names of the source were removed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=16, choices=Kind)
    state = models.CharField(max_length=16, choices=State, default=State.COLLECTING)
    options = models.JSONField(
        default=dict, help_text="Origin, source label, faces; nothing that names a person"
    )
    counts = models.JSONField(default=dict, help_text="Series by status: ok, skipped, error")
    job = models.ForeignKey(Job, null=True, on_delete=models.PROTECT, related_name="+")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.kind} of {self.created_at:%Y-%m-%d %H:%M}"


class UploadedFile(models.Model):
    """One file on its way in; it is sent in parts and can be resumed after any of them."""

    token = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    batch = models.ForeignKey(Import, on_delete=models.PROTECT, related_name="files")
    size = models.BigIntegerField()
    received = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True, help_text="Once it is whole")

    class Meta:
        ordering = ("token",)

    def __str__(self) -> str:
        return f"{self.received} of {self.size} bytes"
