

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('studies', '0008_seats_of_panels'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Discordance',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('item', models.CharField(max_length=16)),
                ('arm', models.CharField(max_length=32)),
                ('opinions', models.JSONField(help_text='Values as the readers gave them, without their names')),
                ('question', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='studies.question')),
            ],
            options={
                'ordering': ('item', 'arm', 'question__position'),
            },
        ),
        migrations.CreateModel(
            name='Consensus',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('value', models.JSONField(help_text='null: no majority', null=True)),
                ('votes_for', models.PositiveSmallIntegerField()),
                ('votes', models.PositiveSmallIntegerField()),
                ('version', models.PositiveSmallIntegerField()),
                ('at', models.DateTimeField(auto_now_add=True)),
                ('supersedes', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='superseded_by', to='adjudication.consensus')),
                ('discordance', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='consensus', to='adjudication.discordance')),
            ],
        ),
        migrations.CreateModel(
            name='Round',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField()),
                ('least_levels', models.PositiveSmallIntegerField(default=1, help_text='Levels of an ordered scale that answers must lie apart to count.')),
                ('seed', models.CharField(help_text='Of the order of cases and opinions', max_length=64)),
                ('opened_at', models.DateTimeField(auto_now_add=True)),
                ('concluded_at', models.DateTimeField(null=True)),
                ('opened_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('panel', models.ManyToManyField(related_name='panels', to='studies.enrolment')),
                ('study', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='rounds', to='studies.study')),
            ],
            options={
                'ordering': ('number',),
            },
        ),
        migrations.AddField(
            model_name='discordance',
            name='round',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='discordances', to='adjudication.round'),
        ),
        migrations.CreateModel(
            name='Vote',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('stage', models.CharField(choices=[('own', 'Before seeing the opinions'), ('final', 'After seeing the opinions')], max_length=8)),
                ('value', models.JSONField()),
                ('comment', models.TextField(blank=True)),
                ('at', models.DateTimeField(auto_now_add=True)),
                ('discordance', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='votes', to='adjudication.discordance')),
                ('enrolment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='votes', to='studies.enrolment')),
            ],
            options={
                'ordering': ('at',),
            },
        ),
        migrations.AddConstraint(
            model_name='round',
            constraint=models.UniqueConstraint(fields=('study', 'number'), name='round_number_once'),
        ),
        migrations.AddConstraint(
            model_name='discordance',
            constraint=models.UniqueConstraint(fields=('round', 'question', 'item', 'arm'), name='discordance_once_in_a_round'),
        ),
        migrations.AddConstraint(
            model_name='vote',
            constraint=models.UniqueConstraint(fields=('discordance', 'enrolment', 'stage'), name='one_vote_a_stage'),
        ),
    ]
