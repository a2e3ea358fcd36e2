"""Use a SQLite library that is safe in WAL mode.

SQLite 3.7.0 to 3.51.2 can corrupt a database in WAL mode when a checkpoint races with a WAL
reset. The package pysqlite3 brings a newer library than most systems; it must stand in
``sys.modules`` before Django's SQLite backend is imported, so the settings call this first.
"""

import sys

SAFE_IN_WAL = (3, 51, 3)


def use_bundled_sqlite() -> tuple[int, ...]:
    """Put pysqlite3 in the place of sqlite3 where it is installed; return the version in use."""
    try:
        import pysqlite3
    except ModuleNotFoundError:
        import sqlite3

        return sqlite3.sqlite_version_info
    sys.modules["sqlite3"] = pysqlite3
    sys.modules["sqlite3.dbapi2"] = pysqlite3.dbapi2
    return tuple(pysqlite3.sqlite_version_info)


def connection_options(version: tuple[int, ...]) -> dict[str, object]:
    """Return Django's OPTIONS for a durable embedded database.

    WAL needs a library without the race; an older one gets the rollback journal, which is
    slower and as durable.
    """
    journal = "WAL" if version >= SAFE_IN_WAL else "DELETE"
    return {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": f"PRAGMA journal_mode={journal}; PRAGMA synchronous=FULL;",
    }
