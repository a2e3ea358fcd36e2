

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def name_generators(apps, schema_editor):
    """Cases that were declared synthetic without a generator's name get one that says so."""
    origins = apps.get_model('truth', 'Origin').objects.using(schema_editor.connection.alias)
    origins.filter(kind='synthetic', generator='').update(generator='not named')


class Migration(migrations.Migration):

    dependencies = [
        ('cases', '0002_tags_strata_preparation'),
        ('truth', '0002_reference_standard'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='origin',
            name='synthetic_has_a_run',
        ),
        migrations.AddField(
            model_name='origin',
            name='external_run',
            field=models.CharField(blank=True, help_text='Name of the run at the place where it was made', max_length=120),
        ),
        migrations.AlterField(
            model_name='referencestandard',
            name='supersedes',
            field=models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='truth.referencestandard'),
        ),
        migrations.RunPython(name_generators, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name='origin',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('external_run', ''), ('generation_run__isnull', True), ('generator', ''), ('kind', 'real')), ('kind', 'synthetic'), _connector='OR'), name='real_has_no_generator'),
        ),
        migrations.AddConstraint(
            model_name='origin',
            constraint=models.CheckConstraint(condition=models.Q(('kind', 'real'), models.Q(('generator', ''), _negated=True), _connector='OR'), name='synthetic_names_its_generator'),
        ),
        migrations.AddConstraint(
            model_name='origin',
            constraint=models.CheckConstraint(condition=models.Q(('generation_run__isnull', True), ('external_run', ''), _connector='OR'), name='run_is_ours_or_external'),
        ),
        migrations.AddConstraint(
            model_name='referencestandard',
            constraint=models.CheckConstraint(condition=models.Q(('supersedes__isnull', True), models.Q(('reason', ''), _negated=True), _connector='OR'), name='correction_states_its_reason'),
        ),
    ]
