"""People: accounts, reader profiles and invitations."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models

from readerstudy.core.append_only import append_only


class User(AbstractUser):
    """An account. What a person may do in a study stands in studies.Membership and Enrolment."""

    display_name = models.CharField(max_length=120, blank=True)
    may_coordinate = models.BooleanField(
        default=False, help_text="May create studies, import cases and run generators."
    )

    def __str__(self) -> str:
        return self.display_name or self.username

    @property
    def is_staff_member(self) -> bool:
        """Has this person any staff page: coordinator, member of a study, administrator?"""
        return self.may_coordinate or self.is_superuser or self.memberships.exists()

    @property
    def reads_audit(self) -> bool:
        """May this person read any part of the audit log?"""
        roles = ("coordinator", "auditor")
        return (
            self.may_coordinate
            or self.is_superuser
            or self.memberships.filter(role__in=roles).exists()
        )

    @property
    def initials(self) -> str:
        words = str(self).replace("Dr ", "").split()
        return "".join(word[0] for word in words[:2]).upper()


class ReaderProfile(models.Model):
    """What agreement studies must report about a reader (GRRAS item 12)."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="profile"
    )
    subspecialty = models.CharField(max_length=120, blank=True)
    years_of_experience = models.PositiveSmallIntegerField(null=True, blank=True)
    institution = models.CharField(
        max_length=16,
        blank=True,
        choices=[
            ("university", "University hospital"),
            ("hospital", "Other hospital"),
            ("practice", "Practice"),
            ("research", "Research institute"),
            ("other", "Other"),
        ],
    )
    confirmed_at = models.DateTimeField(
        null=True, help_text="When the reader stated or confirmed the profile."
    )
    preferences = models.JSONField(
        default=dict, blank=True, help_text="Own keys and mouse buttons on the reading page"
    )

    def __str__(self) -> str:
        return str(self.user)


class Invitation(models.Model):
    """A link sent to a person who has no account yet. Only the hash of its token is stored."""

    email = models.EmailField()
    name = models.CharField(max_length=120)
    token_hash = models.CharField(max_length=64, unique=True)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="invitation"
    )
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    accepted_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"invitation of {self.name}"


@append_only()
class DisplayCheck(models.Model):
    """One check of one display by one reader, or the choice to read without. Append-only."""

    class Outcome(models.TextChoices):
        PASSED = "passed"
        LOOK = "look", "Look at it: something was not seen"
        SKIPPED = "skipped", "Read without a passed check"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="display_checks"
    )
    at = models.DateTimeField()
    outcome = models.CharField(max_length=16, choices=Outcome)
    device = models.CharField(max_length=32, help_text="Random name kept in this browser")
    screen_width = models.PositiveIntegerField()
    screen_height = models.PositiveIntegerField()
    pixel_ratio = models.FloatField()
    colour_depth = models.PositiveSmallIntegerField()
    conditions = models.JSONField(
        default=dict, help_text="Window, zoom, light, browser, seconds taken"
    )
    answers = models.JSONField(default=list, help_text="Each target with what was typed")
    smallest = models.JSONField(
        default=dict, help_text="Smallest step seen by background, grey levels; null: none"
    )
    points = models.JSONField(default=list, help_text="The lines of the verdict, as told")
    seed = models.CharField(max_length=32, blank=True)
    algorithm = models.CharField(max_length=32, blank=True)

    class Meta:
        ordering = ("at", "pk")
        indexes = (models.Index(fields=("user", "at"), name="display_checks_of_a_reader"),)

    def __str__(self) -> str:
        return f"display check {self.outcome}, {self.at:%Y-%m-%d %H:%M}"

    @property
    def passed(self) -> bool:
        return self.outcome == self.Outcome.PASSED

    @property
    def seen(self) -> int:
        """How many characters were read rightly."""
        return sum(answer["right"] for answer in self.answers)
