

import django.db.models.deletion
import readerstudy.core.tokens
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('cases', '0001_initial'),
        ('studies', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Allocation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('seed', models.CharField(max_length=64)),
                ('algorithm', models.CharField(max_length=64)),
                ('design', models.JSONField(help_text='Input of the draw: readers, items, constraints.')),
                ('table_hash', models.CharField(max_length=64)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('study', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='allocation', to='studies.study')),
            ],
        ),
        migrations.CreateModel(
            name='DisplayForm',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('shape', models.JSONField(help_text='[z, y, x], the same for every case')),
                ('spacing_mm', models.JSONField(help_text='[z, y, x]')),
                ('chunks', models.JSONField(help_text='[[first slice, end], …] in the order of fetching')),
                ('buckets', models.JSONField(help_text='Stored length of each chunk by encoding, in bytes')),
                ('window', models.JSONField(help_text='{"width", "level"} on opening')),
                ('rule', models.JSONField(help_text='Display rule and its version')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('study', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='display_form', to='studies.study')),
            ],
        ),
        migrations.CreateModel(
            name='Reading',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('token', models.CharField(default=readerstudy.core.tokens.new_token, max_length=32, unique=True)),
                ('arm', models.CharField(default='main', max_length=32)),
                ('period', models.PositiveSmallIntegerField(default=1)),
                ('position', models.PositiveIntegerField()),
                ('offered_at', models.DateTimeField(null=True)),
                ('completed_at', models.DateTimeField(null=True)),
                ('reopened_at', models.DateTimeField(null=True)),
                ('draft', models.JSONField(null=True)),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='cases.case')),
                ('enrolment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='readings', to='studies.enrolment')),
            ],
            options={
                'ordering': ('period', 'position'),
            },
        ),
        migrations.CreateModel(
            name='ReadingImage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('token', models.CharField(default=readerstudy.core.tokens.new_token, max_length=32, unique=True)),
                ('role', models.CharField(max_length=16)),
                ('reading', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='images', to='reading.reading')),
            ],
        ),
        migrations.CreateModel(
            name='ReadingSession',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('started_at', models.DateTimeField()),
                ('last_seen_at', models.DateTimeField()),
                ('paused_at', models.DateTimeField(null=True)),
                ('enrolment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='sessions', to='studies.enrolment')),
            ],
            options={
                'ordering': ('started_at',),
            },
        ),
        migrations.CreateModel(
            name='Submission',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('key', models.UUIDField(unique=True)),
                ('body_hash', models.CharField(max_length=64)),
                ('body', models.JSONField(help_text='Answers, clock and viewer as the browser sent them')),
                ('received_at', models.DateTimeField()),
                ('outcome', models.CharField(choices=[('accepted', 'Accepted'), ('late', 'Late: kept, not part of the planned data'), ('duplicate', 'The reading had an answer already; kept, not counted')], max_length=16)),
                ('reason', models.TextField(blank=True)),
                ('reading', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='submissions', to='reading.reading')),
                ('session', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='submissions', to='reading.readingsession')),
                ('supersedes', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='superseded_by', to='reading.submission')),
            ],
            options={
                'ordering': ('received_at',),
            },
        ),
        migrations.CreateModel(
            name='Rating',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('choices', models.JSONField(help_text='Codes of a question with any number', null=True)),
                ('not_evaluable', models.BooleanField(default=False)),
                ('choice', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='studies.option')),
                ('question', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='studies.question')),
                ('submission', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='ratings', to='reading.submission')),
            ],
        ),
        migrations.CreateModel(
            name='EncodedSeries',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(max_length=16)),
                ('objects_by_encoding', models.JSONField(help_text='{"zstd": [sha256, …], "gzip": […]}')),
                ('pixel_sha256', models.CharField(max_length=64)),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='cases.case')),
                ('study', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='studies.study')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('study', 'case', 'role'), name='encoded_once_per_study')],
            },
        ),
        migrations.AddConstraint(
            model_name='reading',
            constraint=models.UniqueConstraint(fields=('enrolment', 'period', 'position'), name='one_reading_per_position'),
        ),
        migrations.AddConstraint(
            model_name='readingimage',
            constraint=models.UniqueConstraint(fields=('reading', 'role'), name='one_image_per_slot'),
        ),
        migrations.AddConstraint(
            model_name='submission',
            constraint=models.UniqueConstraint(condition=models.Q(('outcome', 'accepted'), ('supersedes__isnull', True)), fields=('reading',), name='one_accepted_chain_per_reading'),
        ),
        migrations.AddConstraint(
            model_name='rating',
            constraint=models.UniqueConstraint(fields=('submission', 'question'), name='one_rating_per_question'),
        ),
        migrations.AddConstraint(
            model_name='rating',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('choice__isnull', False), ('choices__isnull', True), ('not_evaluable', False)), models.Q(('choice__isnull', True), ('choices__isnull', False), ('not_evaluable', False)), models.Q(('choice__isnull', True), ('choices__isnull', True), ('not_evaluable', True)), _connector='OR'), name='rating_has_exactly_one_form'),
        ),
    ]
