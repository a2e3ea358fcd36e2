"""Rows that nobody changes or deletes, not even by SQL: the database itself refuses it.

A model states its rule by a decorator; the rules become triggers, on SQLite and on PostgreSQL.
Migrations must be able to rebuild tables, so the triggers are taken down before them and set up
after them, by Django's signals. Whoever owns the database can drop a trigger: `verify_audit`
tells which are missing, and the hash chain tells what was done meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import connections, models

PREFIX = "append_only_"
Model = TypeVar("Model", bound=type[models.Model])


@dataclass(frozen=True)
class Rule:
    """What may happen to the rows of one model besides being added.

    Attributes
    ----------
    may_change
        Fields that the life of a row changes. All others stay as they were written; None: no
        field is guarded but those of ``frozen``.
    frozen
        Fields that stay as they are in any case, for a model whose rows are edited.
    sealed
        Fields that stay as they are once the first of them is set.
    simulated
        Way to the study whose rows go when a dry run is discarded; empty: no row ever goes.
    """

    model: type[models.Model]
    may_change: tuple[str, ...] | None
    frozen: tuple[str, ...]
    sealed: tuple[str, ...]
    simulated: str

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    @property
    def name(self) -> str:
        return PREFIX + self.table

    def guarded(self) -> list[str]:
        """Return the columns that never change."""
        if self.may_change is None:
            return [self._column(name) for name in self.frozen]
        free = {self._column(name) for name in self.may_change}
        return [f.column for f in self.model._meta.concrete_fields if f.column not in free]

    def sealed_columns(self) -> list[str]:
        """Return the columns that no longer change once the first of them is set."""
        return [self._column(name) for name in self.sealed]

    def _column(self, name: str) -> str:
        return str(self.model._meta.get_field(name).column)

    def unique_columns(self) -> list[str]:
        """Return the columns by which SQLite would replace a row that is there."""
        return [f.column for f in self.model._meta.concrete_fields if f.unique]


_rules: list[Rule] = []


def append_only(
    *,
    may_change: tuple[str, ...] | None = (),
    frozen: tuple[str, ...] = (),
    sealed: tuple[str, ...] = (),
    simulated: str = "",
) -> Callable[[Model], Model]:
    """Have the database refuse changes and deletions of a model's rows; see `Rule`."""

    def register(model: Model) -> Model:
        _rules.append(Rule(model, may_change, frozen, sealed, simulated))
        return model

    return register


def rules() -> tuple[Rule, ...]:
    """Return the rules of all apps."""
    return tuple(_rules)


def remove(*, using: str = "default", **_: Any) -> None:
    """Take the triggers down: before migrations."""
    connection = connections[using]
    with connection.cursor() as cursor:
        for table, name in _there(cursor, connection.vendor):
            on = f" ON {table}" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER {name}{on}")


def install(*, using: str = "default", **_: Any) -> None:
    """Set the triggers up, for all tables that are there."""
    connection = connections[using]
    remove(using=using)
    write = _sqlite if connection.vendor == "sqlite" else _postgresql
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        for rule in _rules:
            if not {rule.table, *_tables_on(rule)} <= tables:
                continue
            described = connection.introspection.get_table_description(cursor, rule.table)
            for statement in write(rule, {one.name for one in described}):
                cursor.execute(statement)


def missing(*, using: str = "default") -> list[str]:
    """Return the tables that should be guarded and are not."""
    connection = connections[using]
    with connection.cursor() as cursor:
        there = {name for _, name in _there(cursor, connection.vendor)}
    kinds = ("_update", "_delete", "_insert") if connection.vendor == "sqlite" else ("", "_all")
    return sorted(
        rule.table for rule in _rules if any(rule.name + kind not in there for kind in kinds)
    )


def _there(cursor: Any, vendor: str) -> list[tuple[str, str]]:
    if vendor == "postgresql":
        cursor.execute(
            "SELECT tgrelid::regclass::text, tgname FROM pg_trigger "
            "WHERE NOT tgisinternal AND tgenabled <> 'D' AND tgname LIKE %s",
            [f"{PREFIX}%"],
        )
    else:
        cursor.execute(
            "SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger' AND name LIKE %s",
            [f"{PREFIX}%"],
        )
    return list(cursor.fetchall())


def _message(rule: Rule, what: str) -> str:
    return f"{rule.table} is append-only: its rows are never {what}"


def _changed(columns: list[str], word: str) -> str:
    return " OR ".join(f'OLD."{one}" {word} NEW."{one}"' for one in columns)


def _change(rule: Rule, columns: set[str], word: str) -> str:
    """Return the condition that a row changes where it must not."""
    parts = []
    if guarded := [one for one in rule.guarded() if one in columns]:
        parts.append(f"({_changed(guarded, word)})")
    if (sealed := rule.sealed_columns()) and set(sealed) <= columns:
        parts.append(f'(OLD."{sealed[0]}" IS NOT NULL AND ({_changed(sealed, word)}))')
    return " OR ".join(parts) or "FALSE"


def _steps(rule: Rule) -> Iterator[tuple[str, str]]:
    """Yield table and column of each reference on the way to the study."""
    model: Any = rule.model
    for name in rule.simulated.split("__") if rule.simulated else ():
        if name == "self":
            return
        field = model._meta.get_field(name)
        yield model._meta.db_table, field.column
        model = field.related_model


def _tables_on(rule: Rule) -> set[str]:
    return {table for table, _ in _steps(rule)} | ({"studies_study"} if rule.simulated else set())


def _of_simulation(rule: Rule) -> str:
    """Return the condition that the old row belongs to a simulated study."""
    if not rule.simulated:
        return "FALSE"
    if rule.simulated == "self":
        return "OLD.rehearsal_of_id IS NOT NULL"
    (_, first), *further = _steps(rule)
    value = f'OLD."{first}"'
    for table, column in further:
        value = f'(SELECT "{column}" FROM {table} WHERE id = {value})'  # noqa: S608
    return (
        f"EXISTS (SELECT 1 FROM studies_study WHERE id = {value} "  # noqa: S608 - names of models
        "AND rehearsal_of_id IS NOT NULL)"
    )


def _sqlite(rule: Rule, columns: set[str]) -> Iterator[str]:
    table = rule.table
    yield f"""
CREATE TRIGGER {rule.name}_update BEFORE UPDATE ON {table}
WHEN {_change(rule, columns, "IS NOT")}
BEGIN SELECT RAISE(ABORT, '{_message(rule, "changed")}'); END"""
    yield f"""
CREATE TRIGGER {rule.name}_delete BEFORE DELETE ON {table}
WHEN NOT {_of_simulation(rule)}
BEGIN SELECT RAISE(ABORT, '{_message(rule, "deleted")}'); END"""
    # INSERT OR REPLACE deletes what is there without a trigger for deletions.
    there = " OR ".join(f'"{one}" = NEW."{one}"' for one in rule.unique_columns() if one in columns)
    yield f"""
CREATE TRIGGER {rule.name}_insert BEFORE INSERT ON {table}
WHEN EXISTS (SELECT 1 FROM {table} WHERE {there})
BEGIN SELECT RAISE(ABORT, '{_message(rule, "replaced")}'); END"""  # noqa: S608


def _postgresql(rule: Rule, columns: set[str]) -> Iterator[str]:
    code = "USING ERRCODE = 'integrity_constraint_violation'"
    yield f"""
CREATE OR REPLACE FUNCTION {rule.name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF {_change(rule, columns, "IS DISTINCT FROM")} THEN
      RAISE EXCEPTION '{_message(rule, "changed")}' {code};
    END IF;
    RETURN NEW;
  END IF;
  IF TG_OP = 'DELETE' THEN
    IF {_of_simulation(rule)} THEN
      RETURN OLD;
    END IF;
  END IF;
  RAISE EXCEPTION '{_message(rule, "deleted")}' {code};
END $$"""
    yield f"""
CREATE TRIGGER {rule.name} BEFORE UPDATE OR DELETE ON {rule.table}
FOR EACH ROW EXECUTE FUNCTION {rule.name}()"""
    yield f"""
CREATE TRIGGER {rule.name}_all BEFORE TRUNCATE ON {rule.table}
FOR EACH STATEMENT EXECUTE FUNCTION {rule.name}()"""
