import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [('reading', '0004_name_items_and_slots')]
    operations = [
        migrations.AlterField(
            model_name='reading',
            name='item',
            field=models.CharField(help_text='Code of the item; see StudyCase.item.', max_length=16),
        ),
        migrations.AlterField(
            model_name='readingimage',
            name='slot',
            field=models.CharField(help_text='Code of the slot, or role of the overlay', max_length=20),
        ),
        migrations.AlterField(
            model_name='readingimage',
            name='case',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='cases.case'),
        ),
        migrations.AddConstraint(
            model_name='readingimage',
            constraint=models.UniqueConstraint(fields=('reading', 'slot'), name='one_image_per_slot'),
        ),
    ]
