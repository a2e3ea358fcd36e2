from django.db import migrations


def name_items_and_slots(apps, schema_editor):
    """Every reading showed one case until now, and every slot was named by its role."""
    for reading in apps.get_model("reading", "Reading").objects.select_related("case"):
        reading.item, reading.sides = reading.case.code, [0]
        reading.save(update_fields=["item", "sides"])
    for image in apps.get_model("reading", "ReadingImage").objects.select_related("reading"):
        image.slot, image.case_id = image.role, image.reading.case_id
        image.save(update_fields=["slot", "case"])


class Migration(migrations.Migration):

    dependencies = [('reading', '0003_items_arms_and_values')]
    operations = [migrations.RunPython(name_items_and_slots, migrations.RunPython.noop)]
