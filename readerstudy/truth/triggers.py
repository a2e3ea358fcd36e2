"""The database's own refusal of a patient who trained the generator of a study.

A constraint that looks into other tables is a trigger. SQLite drops the triggers of a table that
a migration rebuilds, and refuses the rebuilding while a trigger names the table; so they are taken
down before migrations and set up after them, by Django's signals.
"""

from __future__ import annotations

from typing import Any

from django.db import connections

NAME = "truth_bar_trained_subject"
TABLES = {"studies_studycase", "truth_origin", "truth_trainedon", "cases_series"}
MESSAGE = "a subject who trained the generator cannot enter a study of its images"

# The new row is an image of a generator, and somebody in the study trained it.
_AS_IMAGE = """
SELECT 1 FROM truth_origin o
JOIN truth_trainedon t ON t.generation_run = o.generation_run
JOIN studies_studycase b ON b.study_id = NEW.study_id
JOIN cases_case c ON c.id = b.case_id
JOIN cases_subject s ON s.id = c.subject_id
WHERE o.case_id = NEW.case_id AND (s.source_key = t.fingerprint OR EXISTS (
  SELECT 1 FROM cases_series r JOIN cases_case d ON d.id = r.case_id
  WHERE d.subject_id = s.id AND r.source_sha256 = t.fingerprint))
"""
# The new row is of somebody who trained a generator of which the study has an image.
_AS_SUBJECT = """
SELECT 1 FROM cases_case c
JOIN cases_subject s ON s.id = c.subject_id
JOIN truth_trainedon t ON t.fingerprint = s.source_key OR t.fingerprint IN (
  SELECT r.source_sha256 FROM cases_series r JOIN cases_case d ON d.id = r.case_id
  WHERE d.subject_id = s.id)
JOIN truth_origin o ON o.generation_run = t.generation_run
JOIN studies_studycase a ON a.case_id = o.case_id AND a.study_id = NEW.study_id
WHERE c.id = NEW.case_id
"""
_SQLITE = f"""
CREATE TRIGGER {NAME} AFTER INSERT ON studies_studycase
WHEN NOT COALESCE((SELECT json_extract(design, '$.training_subjects')
                   FROM studies_study WHERE id = NEW.study_id), 0)
 AND (EXISTS ({_AS_IMAGE}) OR EXISTS ({_AS_SUBJECT}))
BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END
"""  # noqa: S608 - constants only
_POSTGRESQL = (
    f"""
CREATE OR REPLACE FUNCTION {NAME}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT COALESCE((SELECT (design->>'training_subjects')::boolean
                   FROM studies_study WHERE id = NEW.study_id), false)
     AND (EXISTS ({_AS_IMAGE}) OR EXISTS ({_AS_SUBJECT})) THEN
    RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$
""",  # noqa: S608 - constants only
    f"""
CREATE TRIGGER {NAME} AFTER INSERT ON studies_studycase
FOR EACH ROW EXECUTE FUNCTION {NAME}()
""",
)


def remove(*, using: str = "default", **_: Any) -> None:
    """Take the trigger down: before migrations."""
    connection = connections[using]
    with connection.cursor() as cursor:
        if "studies_studycase" not in connection.introspection.table_names(cursor):
            return
        on = " ON studies_studycase" if connection.vendor == "postgresql" else ""
        cursor.execute(f"DROP TRIGGER IF EXISTS {NAME}{on}")


def install(*, using: str = "default", **_: Any) -> None:
    """Set the trigger up, where all tables that it reads are there."""
    connection = connections[using]
    remove(using=using)
    with connection.cursor() as cursor:
        if not TABLES.issubset(connection.introspection.table_names(cursor)):
            return
        for statement in (_SQLITE,) if connection.vendor == "sqlite" else _POSTGRESQL:
            cursor.execute(statement)
