

import django.db.models.deletion
import readerstudy.studies.reading_design
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('cases', '0003_browser_and_verification'),
        ('studies', '0002_viewing'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Amendment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveSmallIntegerField()),
                ('protocol', models.JSONField()),
                ('protocol_hash', models.CharField(max_length=64)),
                ('reason', models.TextField()),
                ('at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'ordering': ('version',),
            },
        ),
        migrations.CreateModel(
            name='Arm',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField()),
                ('code', models.SlugField(max_length=32)),
                ('name', models.CharField(help_text='For the staff; readers never see it.', max_length=80)),
                ('slots', models.JSONField(blank=True, default=list, help_text='Codes of the slots shown; empty: all.')),
            ],
            options={
                'ordering': ('position',),
            },
        ),
        migrations.AlterModelOptions(
            name='studycase',
            options={'ordering': ('item', 'place')},
        ),
        migrations.AddField(
            model_name='enrolment',
            name='kind',
            field=models.CharField(choices=[('reader', 'Reader'), ('preview', 'Preview by the staff; never analysed'), ('robot', 'The leak sentinel; never analysed')], default='reader', max_length=16),
        ),
        migrations.AddField(
            model_name='option',
            name='example',
            field=models.CharField(blank=True, help_text='Name of the stored PNG of an example image', max_length=64),
        ),
        migrations.AddField(
            model_name='question',
            name='arms',
            field=models.JSONField(blank=True, default=list, help_text='Codes of the arms that ask it; empty: all.'),
        ),
        migrations.AddField(
            model_name='question',
            name='bound_to',
            field=models.SlugField(blank=True, help_text='Of a confidence: the question it speaks of.', max_length=32),
        ),
        migrations.AddField(
            model_name='question',
            name='equal',
            field=models.BooleanField(default=False, help_text='Images beside each other may be judged equal.'),
        ),
        migrations.AddField(
            model_name='question',
            name='maximum',
            field=models.FloatField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='question',
            name='minimum',
            field=models.FloatField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='question',
            name='show_if',
            field=models.JSONField(blank=True, default=dict, help_text='Display rule; see studies/answers.py.'),
        ),
        migrations.AddField(
            model_name='question',
            name='truth',
            field=models.JSONField(blank=True, default=dict, help_text='How the right answer follows from origin or reference standard.'),
        ),
        migrations.AddField(
            model_name='question',
            name='unit',
            field=models.CharField(blank=True, max_length=24),
        ),
        migrations.AddField(
            model_name='question',
            name='whole',
            field=models.BooleanField(default=False, help_text='Whole numbers only'),
        ),
        migrations.AddField(
            model_name='study',
            name='archived_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='study',
            name='cloned_from',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='clones', to='studies.study'),
        ),
        migrations.AddField(
            model_name='study',
            name='design',
            field=models.JSONField(default=readerstudy.studies.reading_design.default_document, help_text='Who reads what, in which order; see studies/reading_design.py.'),
        ),
        migrations.AddField(
            model_name='study',
            name='rehearsal_of',
            field=models.ForeignKey(help_text='Set for a dry run with simulated readers; never analysed with real ones.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='rehearsals', to='studies.study'),
        ),
        migrations.AddField(
            model_name='studycase',
            name='feedback',
            field=models.JSONField(help_text='Of a training case: right answers by question, disclosed at lock.', null=True),
        ),
        migrations.AddField(
            model_name='studycase',
            name='group',
            field=models.CharField(blank=True, help_text='Opaque letter of a class, for runs and versions; what it means is truth.', max_length=1),
        ),
        migrations.AddField(
            model_name='studycase',
            name='item',
            field=models.CharField(default='', help_text='Code of the case shown first in it.', max_length=16),
        ),
        migrations.AddField(
            model_name='studycase',
            name='phase',
            field=models.CharField(choices=[('main', 'Main'), ('training', 'Training, with feedback and outside the analysis')], default='main', max_length=16),
        ),
        migrations.AddField(
            model_name='studycase',
            name='place',
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name='membership',
            name='role',
            field=models.CharField(choices=[('coordinator', 'Coordinator'), ('blinded', 'Blinded coordinator: progress, no answers'), ('adjudicator', 'Adjudicator'), ('statistician', 'Statistician'), ('auditor', 'Auditor')], max_length=24),
        ),
        migrations.AlterField(
            model_name='option',
            name='anchor',
            field=models.CharField(blank=True, max_length=240),
        ),
        migrations.AlterField(
            model_name='question',
            name='kind',
            field=models.CharField(choices=[('single', 'One of several'), ('ordinal', 'Ordered levels'), ('multi', 'Any number'), ('confidence', 'Confidence in another answer'), ('number', 'A number with a unit'), ('text', 'Free text'), ('region', 'A point, a length or an area on the image'), ('place', 'One of the images beside each other'), ('ranking', 'Images in order of rank')], max_length=16),
        ),
        migrations.AddField(
            model_name='amendment',
            name='actor',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='amendment',
            name='study',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='amendments', to='studies.study'),
        ),
        migrations.AddField(
            model_name='arm',
            name='study',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='arms', to='studies.study'),
        ),
        migrations.AddConstraint(
            model_name='amendment',
            constraint=models.UniqueConstraint(fields=('study', 'version'), name='version_once_in_a_study'),
        ),
        migrations.AddConstraint(
            model_name='arm',
            constraint=models.UniqueConstraint(fields=('study', 'code'), name='arm_code_once'),
        ),
    ]
