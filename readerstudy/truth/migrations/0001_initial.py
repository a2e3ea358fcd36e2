

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('cases', '0001_initial'),
        ('studies', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Unblinding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('reason', models.TextField()),
                ('actor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('study', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='studies.study')),
            ],
        ),
        migrations.CreateModel(
            name='Origin',
            fields=[
                ('case', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='+', serialize=False, to='cases.case')),
                ('kind', models.CharField(choices=[('real', 'Real'), ('synthetic', 'Synthetic')], max_length=16)),
                ('generator', models.CharField(blank=True, max_length=120)),
                ('generation_run', models.UUIDField(null=True)),
                ('record_sha256', models.CharField(blank=True, help_text='Hash of the generation record', max_length=64)),
                ('declared_at', models.DateTimeField(auto_now_add=True)),
                ('declared_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('generation_run__isnull', True), ('kind', 'real')), models.Q(('generation_run__isnull', False), ('kind', 'synthetic')), _connector='OR'), name='synthetic_has_a_run')],
            },
        ),
    ]
