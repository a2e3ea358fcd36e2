

import django.db.models.deletion
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Subject',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=16, unique=True)),
                ('source_key', models.CharField(help_text='Keyed digest of the name at the source, so that importing again finds it.', max_length=64, unique=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name='Case',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('code', models.CharField(max_length=16, unique=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('withdrawn_at', models.DateTimeField(blank=True, null=True)),
                ('withdrawn_reason', models.TextField(blank=True)),
                ('subject', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='cases', to='cases.subject')),
            ],
            options={
                'ordering': ('code',),
            },
        ),
        migrations.CreateModel(
            name='Series',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('role', models.CharField(max_length=16)),
                ('sha256', models.CharField(max_length=64)),
                ('object_name', models.CharField(max_length=64)),
                ('dtype', models.CharField(max_length=8)),
                ('shape', models.JSONField(help_text='[z, y, x]')),
                ('spacing_mm', models.JSONField(help_text='[z, y, x]')),
                ('affine_lps', models.JSONField(help_text='4 by 4, voxel (x, y, z) to LPS mm')),
                ('source_orientation', models.CharField(max_length=8)),
                ('source_sha256', models.CharField(db_index=True, max_length=64)),
                ('facts', models.JSONField(default=dict, help_text='Acquisition facts, by allow-list')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='series', to='cases.case')),
            ],
            options={
                'ordering': ('role',),
                'constraints': [models.UniqueConstraint(fields=('case', 'role'), name='one_series_per_case_and_role')],
            },
        ),
    ]
