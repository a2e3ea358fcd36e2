

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('studies', '0007_amendments_letters_and_deviations'),
    ]

    operations = [
        migrations.AlterField(
            model_name='enrolment',
            name='kind',
            field=models.CharField(choices=[('reader', 'Reader'), ('preview', 'Preview by the staff; never analysed'), ('robot', 'The leak sentinel; never analysed'), ('adjudicator', 'A seat on a panel; votes on discordant cases alone')], default='reader', max_length=16),
        ),
    ]
