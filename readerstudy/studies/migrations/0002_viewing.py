"""How images are shown: one document in place of the list of roles; questions for a place."""

from django.db import migrations, models

LABELS = {"t1": "T1", "t1c": "T1 after contrast", "t2": "T2", "flair": "FLAIR"}
TOOLS = ["window", "zoom", "pan", "length", "ellipse", "invert", "full"]


def convert(apps, schema_editor):
    for study in apps.get_model("studies", "Study").objects.all():
        study.viewing = viewing_of(study.slots)
        study.save(update_fields=["viewing"])


def viewing_of(roles):
    hanging = {1: "1x1", 2: "1x2", 3: "2x2", 4: "2x2"}.get(len(roles), "2x3")
    return {
        "slots": [
            {
                "role": role,
                "label": LABELS.get(role, role.upper()),
                "plane": "axial",
                "unit": "",
                "range": None,
                "colour": None,
            }
            for role in roles
        ],
        "hanging": {"initial": hanging, "allowed": [hanging]},
        "interpolation": "linear",
        "interpolation_fixed": False,
        "tools": TOOLS,
        "overlay": None,
        "presets": [],
        "faces_reason": "",
    }


def convert_back(apps, schema_editor):
    for study in apps.get_model("studies", "Study").objects.all():
        study.slots = [slot["role"] for slot in study.viewing["slots"]]
        study.save(update_fields=["slots"])


class Migration(migrations.Migration):

    dependencies = [("studies", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="study",
            name="viewing",
            field=models.JSONField(
                default=dict, help_text="How images are shown; see studies/viewing.py."
            ),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="study", name="slots", field=models.JSONField(default=list)
        ),
        migrations.RunPython(convert, convert_back),
        migrations.RemoveField(model_name="study", name="slots"),
        migrations.AddField(
            model_name="question",
            name="region",
            field=models.JSONField(
                blank=True,
                null=True,
                help_text='{"kind", "role"} of a place that is asked for',
            ),
        ),
        migrations.AlterField(
            model_name="question",
            name="kind",
            field=models.CharField(
                choices=[
                    ("single", "One of several"),
                    ("ordinal", "Ordered levels"),
                    ("multi", "Any number"),
                    ("region", "A place on the image"),
                ],
                max_length=16,
            ),
        ),
    ]
