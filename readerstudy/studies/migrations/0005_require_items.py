from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [('studies', '0004_name_the_items')]
    operations = [
        migrations.AlterField(
            model_name='studycase',
            name='item',
            field=models.CharField(help_text='Code of the case shown first in it.', max_length=16),
        ),
        migrations.AddConstraint(
            model_name='studycase',
            constraint=models.UniqueConstraint(fields=('study', 'item', 'place'), name='place_once_in_an_item'),
        ),
    ]
