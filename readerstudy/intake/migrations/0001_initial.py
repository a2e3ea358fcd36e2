

import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('core', '0002_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Import',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('upload', 'Upload'), ('folder', 'Folder on the server'), ('dicomweb', 'DICOMweb server')], max_length=16)),
                ('state', models.CharField(choices=[('collecting', 'Waiting for files'), ('queued', 'Queued'), ('running', 'Running'), ('finished', 'Finished'), ('failed', 'Failed'), ('closed', 'Closed: the names of the source were removed')], default='collecting', max_length=16)),
                ('options', models.JSONField(default=dict, help_text='Origin, source label, faces; nothing that names a person')),
                ('counts', models.JSONField(default=dict, help_text='Series by status: ok, skipped, error')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('job', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='core.job')),
            ],
            options={
                'ordering': ('-created_at',),
            },
        ),
        migrations.CreateModel(
            name='UploadedFile',
            fields=[
                ('token', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('size', models.BigIntegerField()),
                ('received', models.BigIntegerField(default=0)),
                ('sha256', models.CharField(blank=True, help_text='Once it is whole', max_length=64)),
                ('batch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='files', to='intake.import')),
            ],
            options={
                'ordering': ('token',),
            },
        ),
    ]
