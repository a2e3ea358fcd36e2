"""Copy a database by its own backup interface, never by copying files, and put a copy in place."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from readerstudy.core.errors import Conflict, ReaderStudyError

MEMBER = {"sqlite": "database.sqlite3", "postgresql": "database.pgdump"}
Applied = set[tuple[str, str]]


def member() -> str:
    """Return the name of the database's member in an archive."""
    return MEMBER[connection.vendor]


def applied() -> list[list[str]]:
    """Return the migrations that the database has, as pairs of app and name."""
    return sorted([app, name] for app, name in MigrationLoader(connection).applied_migrations)


def require_known(migrations: list[list[str]]) -> None:
    """Refuse a database of a newer version than this program.

    Raises
    ------
    Conflict
        Naming what this version does not know.
    """
    loader = MigrationLoader(None)
    ours = {app for app, _ in loader.disk_migrations}
    replaced = {one for m in loader.disk_migrations.values() for one in m.replaces}
    known = {*loader.disk_migrations, *replaced}
    newer = [
        f"{app} {name}" for app, name in migrations if app in ours and (app, name) not in known
    ]
    if newer:
        raise Conflict(
            "The backup was made by a newer version of this program, which has "
            f"{', '.join(newer[:3])}. Install that version, then restore."
        )


def dump(target: Path) -> None:
    """Write a consistent copy of the database while others go on writing."""
    if connection.vendor == "sqlite":
        _copy_sqlite(_sqlite_path(), target)
        check_sqlite(target)
    else:
        _postgres("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={target}")
        _postgres("pg_restore", "--list", str(target), connects=False)


def _sqlite_path() -> Path:
    return Path(str(connection.settings_dict["NAME"]))


def _copy_sqlite(source: Path, target: Path) -> None:
    with (
        closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True, timeout=20)) as there,
        closing(sqlite3.connect(target)) as here,
    ):
        there.backup(here)
        here.execute("PRAGMA journal_mode=DELETE")


def check_sqlite(path: Path) -> None:
    """Refuse a database file that is damaged."""
    with closing(sqlite3.connect(path)) as held:
        said = held.execute("PRAGMA integrity_check").fetchone()[0]
        loose = held.execute("PRAGMA foreign_key_check").fetchone()
    if said != "ok" or loose is not None:
        raise ReaderStudyError(f"The copy of the database is damaged: {said}.")


def _postgres(program: str, *arguments: str, connects: bool = True) -> None:
    held = connection.settings_dict
    where = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD"}
    given = {name: str(held[key]) for name, key in where.items() if held.get(key)}
    database = ["--dbname", str(held["NAME"])] if connects else []
    try:
        done = subprocess.run(  # noqa: S603 - the program is one of PostgreSQL's own
            [program, *database, *arguments],
            env={**os.environ, **given},
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise ReaderStudyError(
            f"{program} is not there. Install PostgreSQL's client programs, at least as new as "
            "the server."
        ) from error
    if done.returncode:
        raise ReaderStudyError(f"{program} stopped: {done.stderr.strip()[-600:]}")


def is_empty() -> bool:
    """Has nobody used this database: no account, no audit record?"""
    if connection.vendor == "sqlite" and not _sqlite_path().exists():
        return True
    tables = connection.introspection.table_names()
    with connection.cursor() as cursor:
        for table in {"readers_user", "core_auditrecord"} & set(tables):
            cursor.execute(f"SELECT 1 FROM {table} LIMIT 1")  # noqa: S608 - constants
            if cursor.fetchone():
                return False
    return True


@contextmanager
def looking_at(path: Path) -> Iterator[None]:
    """Let the connection of this process lead to another SQLite file."""
    former: Any = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = path
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = former


def place(copy: Path, *, aside: Path) -> None:
    """Make a checked copy the database, in one step: all of it or nothing.

    Raises
    ------
    Conflict
        If another process has the database open.
    """
    if connection.vendor == "sqlite":
        _place_sqlite(copy, aside)
        return
    steps = ("--single-transaction", "--exit-on-error", "--clean", "--if-exists", "--no-owner")
    connection.close()
    _postgres("pg_restore", *steps, "--no-privileges", str(copy))
    call_command("migrate", verbosity=0, interactive=False)


def _place_sqlite(copy: Path, aside: Path) -> None:
    with looking_at(copy):
        call_command("migrate", verbosity=0, interactive=False)
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA journal_mode=DELETE")
    check_sqlite(copy)
    target = _sqlite_path()
    if target.exists():
        _require_closed(target)
        os.link(target, aside)
    descriptor = os.open(copy, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    copy.replace(target)


def _require_closed(path: Path) -> None:
    connection.close()
    with closing(sqlite3.connect(path, timeout=1)) as held:
        try:
            held.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.OperationalError as error:
            raise Conflict("The database is in use. Stop the server and its workers.") from error
