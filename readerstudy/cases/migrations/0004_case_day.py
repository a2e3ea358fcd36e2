from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cases", "0003_browser_and_verification")]

    operations = [
        migrations.AddField(
            model_name="case",
            name="day",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Days since the first examination of the subject, for courses; no date.",
                null=True,
            ),
        ),
    ]
