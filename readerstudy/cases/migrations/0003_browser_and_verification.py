

import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('cases', '0002_tags_strata_preparation'),
        ('readers', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ListChoice',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('columns', models.JSONField(default=list, help_text='Names of columns; roles as role:t1')),
                ('per_page', models.PositiveSmallIntegerField(default=12)),
            ],
        ),
        migrations.AddField(
            model_name='series',
            name='damage',
            field=models.CharField(blank=True, help_text='What was wrong then; empty where all is well', max_length=120),
        ),
        migrations.AddField(
            model_name='series',
            name='verified_at',
            field=models.DateTimeField(help_text='When the stored object was last compared with its checksum', null=True),
        ),
        migrations.CreateModel(
            name='CaseChange',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('action', models.CharField(max_length=32)),
                ('cases', models.JSONField(help_text='Identifiers of the chosen cases, by code')),
                ('parameters', models.JSONField(help_text='What was asked for; null: not yet', null=True)),
                ('rows', models.JSONField(default=list, help_text='The preview: case, code, old, new, reason')),
                ('revision', models.PositiveIntegerField(default=0, help_text='Counts the previews shown')),
                ('moved', models.JSONField(default=list, help_text='Codes that changed between the preview before and this one')),
                ('result', models.JSONField(default=dict, help_text='What was done, and the job, if any')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('done_at', models.DateTimeField(null=True)),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ('-created_at',),
            },
        ),
    ]
