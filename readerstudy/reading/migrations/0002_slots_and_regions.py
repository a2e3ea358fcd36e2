"""Geometry for each slot in place of one for the study; places on the image as answers."""

from django.db import migrations, models
from django.db.models import Q


def convert(apps, schema_editor):
    for form in apps.get_model("reading", "DisplayForm").objects.select_related("study"):
        form.slots = [slot_of(form, slot) for slot in form.study.viewing["slots"]]
        form.save(update_fields=["slots"])


def slot_of(form, slot):
    """All slots of an older study share one axial grid around the middle of the head."""
    origin = [-(n - 1) / 2 * mm for n, mm in zip(form.shape, form.spacing_mm)]
    return {
        "role": slot["role"],
        "label": slot["label"],
        "plane": "axial",
        "shape": form.shape,
        "spacing_mm": form.spacing_mm,
        "origin_mm": origin[::-1],
        "chunks": form.chunks,
        "buckets": form.buckets,
        "window": form.window,
        "presets": [],
        "value": None,
        "colour": None,
        "made": {"quantum": form.rule.get("quantum")},
    }


def convert_back(apps, schema_editor):
    for form in apps.get_model("reading", "DisplayForm").objects.all():
        for name in ("shape", "spacing_mm", "chunks", "buckets", "window"):
            setattr(form, name, form.slots[0][name])
        form.save()


def only(form):
    given = Q(**{f"{n}__isnull": n != form for n in ("choice", "choices", "region")})
    return given & Q(not_evaluable=form == "not_evaluable")


def emptied(name):
    """Let a column be filled in again when the migration is undone."""
    return migrations.AlterField("displayform", name, models.JSONField(default=list))


OLD = ("shape", "spacing_mm", "chunks", "buckets", "window")


class Migration(migrations.Migration):

    dependencies = [("reading", "0001_initial"), ("studies", "0002_viewing")]

    operations = [
        migrations.AddField(
            "displayform",
            "slots",
            models.JSONField(
                default=list,
                help_text="Series shown, in order: plane, grid, chunks and their stored lengths, windows",
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            "displayform",
            "overlay_buckets",
            models.JSONField(
                null=True,
                help_text="Stored lengths of the overlay's chunks; null without an overlay",
            ),
        ),
        *(emptied(name) for name in OLD),
        migrations.RunPython(convert, convert_back),
        *(migrations.RemoveField("displayform", name) for name in OLD),
        migrations.AddField(
            "encodedseries",
            "frame_to_lps",
            models.JSONField(null=True, help_text="4 by 4, mm of the case frame to patient LPS mm"),
        ),
        migrations.AddField(
            "encodedseries",
            "facts",
            models.JSONField(
                default=dict, help_text="Voxels of the foreground, and how many clipped"
            ),
        ),
        migrations.AddField(
            "rating",
            "region",
            models.JSONField(
                null=True,
                help_text="A place: points in the case frame and in patient LPS mm, measures",
            ),
        ),
        migrations.RemoveConstraint("rating", "rating_has_exactly_one_form"),
        migrations.AddConstraint(
            "rating",
            models.CheckConstraint(
                name="rating_has_exactly_one_form",
                condition=only("choice") | only("choices") | only("region") | only("not_evaluable"),
            ),
        ),
    ]
