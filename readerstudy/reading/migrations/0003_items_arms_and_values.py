

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('cases', '0003_browser_and_verification'),
        ('reading', '0002_slots_and_regions'),
        ('studies', '0005_require_items'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='PeriodOpening',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('period', models.PositiveSmallIntegerField()),
                ('opens_at', models.DateTimeField()),
                ('reason', models.TextField(blank=True)),
            ],
            options={
                'ordering': ('period',),
            },
        ),
        migrations.RemoveConstraint(
            model_name='rating',
            name='rating_has_exactly_one_form',
        ),
        migrations.RemoveConstraint(
            model_name='readingimage',
            name='one_image_per_slot',
        ),
        migrations.AddField(
            model_name='rating',
            name='number',
            field=models.FloatField(null=True),
        ),
        migrations.AddField(
            model_name='rating',
            name='places',
            field=models.JSONField(help_text='Images beside each other: {"shown": [places], "members": [members]}', null=True),
        ),
        migrations.AddField(
            model_name='rating',
            name='text',
            field=models.TextField(null=True),
        ),
        migrations.AddField(
            model_name='reading',
            name='item',
            field=models.CharField(default='', help_text='Code of the item; see StudyCase.item.', max_length=16),
        ),
        migrations.AddField(
            model_name='reading',
            name='repeat',
            field=models.PositiveSmallIntegerField(default=0, help_text='1: shown a second time'),
        ),
        migrations.AddField(
            model_name='reading',
            name='sides',
            field=models.JSONField(default=list, help_text='Member of the item in each place'),
        ),
        migrations.AddField(
            model_name='reading',
            name='stage',
            field=models.PositiveSmallIntegerField(default=1, help_text='Of a sequential reading; a stage is sealed when the next is shown.'),
        ),
        migrations.AddField(
            model_name='readingimage',
            name='case',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='cases.case'),
        ),
        migrations.AddField(
            model_name='readingimage',
            name='slot',
            field=models.CharField(default='', help_text='Code of the slot, or role of the overlay', max_length=20),
        ),
        migrations.AlterField(
            model_name='reading',
            name='period',
            field=models.PositiveSmallIntegerField(default=1, help_text='0: training'),
        ),
        migrations.AddConstraint(
            model_name='rating',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('choice__isnull', False), ('choices__isnull', True), ('number__isnull', True), ('places__isnull', True), ('region__isnull', True), ('text__isnull', True), ('not_evaluable', False)), models.Q(('choice__isnull', True), ('choices__isnull', False), ('number__isnull', True), ('places__isnull', True), ('region__isnull', True), ('text__isnull', True), ('not_evaluable', False)), models.Q(('choice__isnull', True), ('choices__isnull', True), ('number__isnull', False), ('places__isnull', True), ('region__isnull', True), ('text__isnull', True), ('not_evaluable', False)), models.Q(('choice__isnull', True), ('choices__isnull', True), ('number__isnull', True), ('places__isnull', True), ('region__isnull', True), ('text__isnull', False), ('not_evaluable', False)), models.Q(('choice__isnull', True), ('choices__isnull', True), ('number__isnull', True), ('places__isnull', False), ('region__isnull', True), ('text__isnull', True), ('not_evaluable', False)), models.Q(('choice__isnull', True), ('choices__isnull', True), ('number__isnull', True), ('places__isnull', True), ('region__isnull', False), ('text__isnull', True), ('not_evaluable', False)), models.Q(('choice__isnull', True), ('choices__isnull', True), ('number__isnull', True), ('places__isnull', True), ('region__isnull', True), ('text__isnull', True), ('not_evaluable', True)), _connector='OR'), name='rating_has_exactly_one_form'),
        ),
        migrations.AddField(
            model_name='periodopening',
            name='enrolment',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='openings', to='studies.enrolment'),
        ),
        migrations.AddField(
            model_name='periodopening',
            name='opened_by',
            field=models.ForeignKey(help_text='Who opened it before its time; a deviation from the protocol.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='periodopening',
            constraint=models.UniqueConstraint(fields=('enrolment', 'period'), name='one_opening_per_period'),
        ),
    ]
