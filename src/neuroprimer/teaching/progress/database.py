"""The database of a file of progress: how it is opened, written to, and brought up to date."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

# Stands in the header of our files, and tells them from other programs' databases.
APPLICATION_ID = int.from_bytes(b"NPpr", "big")

# Kernels and commands write for milliseconds; whoever waits longer waits for something broken.
BUSY_S = 30.0

# One entry for each version, from 1 on; what a student has is never made anew. Never change an
# entry that was released: add one.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE events (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            lesson_id TEXT NOT NULL,
            exercise_id TEXT NOT NULL,
            kind TEXT NOT NULL,
            is_correct INTEGER NOT NULL,
            message TEXT NOT NULL,
            digest TEXT NOT NULL,
            "when" TEXT NOT NULL
        )
        """,
    ),
    (
        "ALTER TABLE events ADD COLUMN points REAL NOT NULL DEFAULT 0.0",
        'CREATE INDEX events_of_lesson ON events (lesson_id, "when")',
    ),
    # no new table: from here on an event may be a mark, which earlier versions cannot read
    (),
)
VERSION = len(MIGRATIONS)


@contextlib.contextmanager
def opened(file: Path) -> Iterator[sqlite3.Connection]:
    """Open a database for one operation, and close it whatever happens.

    Nothing is changed by opening; a file that does not exist is created, empty.

    Raises
    ------
    sqlite3.Error
        If the file cannot be opened, or is no database.
    """
    # isolation_level=None: transactions begin where `writing` says so, and nowhere else.
    connection = sqlite3.connect(file, timeout=BUSY_S, isolation_level=None)
    with contextlib.closing(connection):
        connection.row_factory = sqlite3.Row
        # Answers are few: each can wait for the disk, and even a power failure costs none.
        connection.execute("PRAGMA synchronous = FULL")
        yield connection


@contextlib.contextmanager
def writing(connection: sqlite3.Connection) -> Iterator[None]:
    """Make what is written one transaction: all of it is kept, or nothing.

    The right to write is taken at once. A transaction that reads first, and asks for it later,
    could be refused without any waiting.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


def identify(connection: sqlite3.Connection) -> tuple[int, bool]:
    """Return the version of a database, 0 for an empty one, and whether it is one of ours."""
    connection.execute("BEGIN")  # so that all three are of the same moment
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (n_tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    finally:
        connection.rollback()
    is_new = (version, application, n_tables) == (0, 0, 0)
    return version, is_new or application == APPLICATION_ID


def bring_up_to_date(connection: sqlite3.Connection) -> None:
    """Give an empty database, or one of an earlier version, the tables of this one."""
    if _version_of(connection) < VERSION:
        with writing(connection):
            # Asked again: another process may have been faster.
            for statements in MIGRATIONS[_version_of(connection) :]:
                for statement in statements:
                    connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
    _use_write_ahead_log(connection)


def _version_of(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Let readers read while somebody writes; the file remembers it."""
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    if mode != "wal":
        # Refused while another process has the file open. Without it all is as safe, and
        # whoever opens the file next tries again.
        with contextlib.suppress(sqlite3.OperationalError):
            connection.execute("PRAGMA journal_mode = WAL")
