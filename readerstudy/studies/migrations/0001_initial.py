

import django.db.models.deletion
import readerstudy.core.tokens
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('cases', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Study',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(help_text='For the staff.', max_length=120)),
                ('reader_title', models.CharField(help_text='What readers see; it must not tell what is compared.', max_length=120)),
                ('template', models.CharField(max_length=64)),
                ('instructions', models.TextField()),
                ('slots', models.JSONField(help_text='Roles shown beside each other, in order.')),
                ('margin', models.FloatField(default=0.1, help_text='Equivalence margin around guessing, as a proportion.')),
                ('state', models.CharField(choices=[('draft', 'Draft'), ('locked', 'Locked'), ('running', 'Running'), ('closed', 'Closed'), ('unblinded', 'Unblinded')], default='draft', max_length=16)),
                ('protocol', models.JSONField(null=True)),
                ('protocol_hash', models.CharField(blank=True, max_length=64)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('locked_at', models.DateTimeField(null=True)),
                ('running_at', models.DateTimeField(null=True)),
                ('closed_at', models.DateTimeField(null=True)),
                ('unblinded_at', models.DateTimeField(null=True)),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ('-created_at',),
            },
        ),
        migrations.CreateModel(
            name='Question',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField()),
                ('code', models.SlugField(max_length=32)),
                ('text', models.CharField(max_length=200)),
                ('kind', models.CharField(choices=[('single', 'One of several'), ('ordinal', 'Ordered levels'), ('multi', 'Any number')], max_length=16)),
                ('required', models.BooleanField(default=True)),
                ('may_be_not_evaluable', models.BooleanField(default=False)),
                ('help', models.TextField(blank=True)),
                ('study', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='questions', to='studies.study')),
            ],
            options={
                'ordering': ('position',),
            },
        ),
        migrations.CreateModel(
            name='Membership',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('coordinator', 'Coordinator')], max_length=24)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='memberships', to=settings.AUTH_USER_MODEL)),
                ('study', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='memberships', to='studies.study')),
            ],
        ),
        migrations.CreateModel(
            name='Enrolment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=8)),
                ('token', models.CharField(default=readerstudy.core.tokens.new_token, max_length=32, unique=True)),
                ('enrolled_at', models.DateTimeField(auto_now_add=True)),
                ('reader', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='enrolments', to=settings.AUTH_USER_MODEL)),
                ('study', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='enrolments', to='studies.study')),
            ],
            options={
                'ordering': ('code',),
            },
        ),
        migrations.CreateModel(
            name='StudyCase',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='cases.case')),
                ('study', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='study_cases', to='studies.study')),
            ],
        ),
        migrations.AddField(
            model_name='study',
            name='cases',
            field=models.ManyToManyField(related_name='+', through='studies.StudyCase', to='cases.case'),
        ),
        migrations.CreateModel(
            name='Option',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField()),
                ('code', models.SlugField(max_length=32)),
                ('label', models.CharField(max_length=60)),
                ('anchor', models.CharField(blank=True, max_length=120)),
                ('question', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='options', to='studies.question')),
            ],
            options={
                'ordering': ('position',),
                'constraints': [models.UniqueConstraint(fields=('question', 'code'), name='option_code_once')],
            },
        ),
        migrations.AddConstraint(
            model_name='question',
            constraint=models.UniqueConstraint(fields=('study', 'code'), name='question_code_once'),
        ),
        migrations.AddConstraint(
            model_name='question',
            constraint=models.UniqueConstraint(fields=('study', 'position'), name='question_position_once'),
        ),
        migrations.AddConstraint(
            model_name='membership',
            constraint=models.UniqueConstraint(fields=('study', 'user'), name='one_role_per_study'),
        ),
        migrations.AddConstraint(
            model_name='enrolment',
            constraint=models.UniqueConstraint(fields=('study', 'reader'), name='reader_once_in_a_study'),
        ),
        migrations.AddConstraint(
            model_name='enrolment',
            constraint=models.UniqueConstraint(fields=('study', 'code'), name='reader_code_once'),
        ),
        migrations.AddConstraint(
            model_name='studycase',
            constraint=models.UniqueConstraint(fields=('study', 'case'), name='case_once_in_a_study'),
        ),
    ]
