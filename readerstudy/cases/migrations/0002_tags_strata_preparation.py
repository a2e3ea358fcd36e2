

import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


def name_the_imported_cases(apps, schema_editor):
    """Until now the earliest case of a subject was the imported one; the others are generated."""
    subject_model = apps.get_model("cases", "Subject")
    for subject in subject_model.objects.all():
        case = subject.cases.order_by("created_at").first()
        if case is not None:
            case.source_key = subject.source_key
            case.save(update_fields=["source_key"])


class Migration(migrations.Migration):

    dependencies = [
        ('cases', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Tag',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=40, unique=True)),
            ],
            options={
                'ordering': ('name',),
            },
        ),
        migrations.AddField(
            model_name='case',
            name='source_key',
            field=models.CharField(blank=True, default="", help_text="Keyed digest of the case's name at the source; none for a generated case.", max_length=64),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='case',
            name='stratum',
            field=models.CharField(blank=True, help_text='Group for stratified draws; never shown to readers.', max_length=60),
        ),
        migrations.AddField(
            model_name='series',
            name='flags',
            field=models.JSONField(default=list, help_text='Codes of what a person should look at, such as face, gap, thick'),
        ),
        migrations.AddField(
            model_name='series',
            name='preparation',
            field=models.JSONField(default=list, help_text='Steps done since import: name, parameters, tool and version'),
        ),
        migrations.AddField(
            model_name='series',
            name='source_kind',
            field=models.CharField(default='nifti', help_text='Form at the source: nifti, dicom or png', max_length=8),
        ),
        migrations.AddField(
            model_name='series',
            name='unit',
            field=models.CharField(blank=True, help_text='Unit of a quantitative map, such as mL/100 g', max_length=24),
        ),
        migrations.CreateModel(
            name='Preparation',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('chain', models.JSONField(help_text='Steps asked for, with parameters')),
                ('results', models.JSONField(default=dict, help_text='By role: columns of the prepared series and the steps as done')),
                ('state', models.CharField(choices=[('running', 'Running'), ('proposed', 'Proposed'), ('accepted', 'Accepted'), ('rejected', 'Rejected'), ('failed', 'Failed')], default='running', max_length=16)),
                ('reason', models.TextField(blank=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('decided_at', models.DateTimeField(null=True)),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='preparations', to='cases.case')),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ('-created_at',),
            },
        ),
        migrations.AddField(
            model_name='case',
            name='tags',
            field=models.ManyToManyField(blank=True, related_name='cases', to='cases.tag'),
        ),
        migrations.RunPython(name_the_imported_cases, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name='case',
            constraint=models.UniqueConstraint(condition=models.Q(('source_key', ''), _negated=True), fields=('source_key',), name='source_key_of_one_case'),
        ),
    ]
