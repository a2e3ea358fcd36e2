"""A reader's own keys and mouse buttons."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("readers", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="readerprofile",
            name="preferences",
            field=models.JSONField(
                blank=True, default=dict, help_text="Own keys and mouse buttons on the reading page"
            ),
        ),
    ]
