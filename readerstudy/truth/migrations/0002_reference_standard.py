

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('cases', '0002_tags_strata_preparation'),
        ('truth', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ReferenceStandard',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('endpoint', models.SlugField(help_text='Such as who_grade or progression', max_length=40)),
                ('value', models.CharField(max_length=120)),
                ('method', models.CharField(blank=True, help_text='How it is known, such as histopathology', max_length=120)),
                ('recorded_at', models.DateTimeField(auto_now_add=True)),
                ('reason', models.TextField(blank=True)),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='cases.case')),
                ('recorded_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('supersedes', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='superseded_by', to='truth.referencestandard')),
            ],
            options={
                'ordering': ('endpoint', 'recorded_at'),
                'constraints': [models.UniqueConstraint(condition=models.Q(('supersedes__isnull', True)), fields=('case', 'endpoint'), name='one_reference_chain_per_endpoint')],
            },
        ),
    ]
