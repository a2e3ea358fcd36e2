from django.db import migrations


def name_the_items(apps, schema_editor):
    """Every case was an item of its own until now."""
    for row in apps.get_model("studies", "StudyCase").objects.select_related("case"):
        row.item = row.case.code
        row.save(update_fields=["item"])


class Migration(migrations.Migration):

    dependencies = [('studies', '0003_designs_arms_and_questions')]
    operations = [migrations.RunPython(name_the_items, migrations.RunPython.noop)]
