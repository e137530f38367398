"""The tables of the database, and databases of earlier releases."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from aiocos.emulator.store import Store
from aiocos.emulator.store.schema import ADDED, SCHEMA


async def test_columns_missing_in_an_old_database_are_added(tmp_path: Path) -> None:
    created = Store(tmp_path)
    await created.close()
    with closing(sqlite3.connect(tmp_path / "emulator.sqlite")) as connection:
        for table, columns in ADDED.items():
            for name in columns:
                connection.execute(f"ALTER TABLE {table} DROP COLUMN {name}")
        connection.commit()
    reopened = Store(tmp_path)
    for table, columns in ADDED.items():
        existing = {row[1] for row in reopened.connection.execute(f"PRAGMA table_info({table})")}
        assert set(columns) <= existing, table
    await reopened.close()


def test_added_columns_are_in_the_schema() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(SCHEMA)
        for table, columns in ADDED.items():
            existing = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
            assert set(columns) <= existing, table
