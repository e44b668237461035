"""The file of progress: what is recorded is read again, whatever was there before."""

import contextlib
import sqlite3
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuroprimer.teaching.progress import database
from neuroprimer.teaching.progress.store import (
    HINT,
    KINDS,
    PROGRESS_VARIABLE,
    RESET,
    Event,
    Progress,
    ProgressError,
    progress_file,
)


def make_database(file: Path, *statements: str) -> None:
    connection = sqlite3.connect(file)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def ask(file: Path, question: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(file)
    rows = connection.execute(question).fetchall()
    connection.close()
    return rows


def events():
    names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
    return st.builds(
        Event,
        lesson_id=names,
        exercise_id=names,
        kind=st.sampled_from(KINDS),
        is_correct=st.booleans(),
        message=st.text(st.characters(), max_size=8),
        digest=st.text(st.characters(), max_size=8),
        points=st.floats(allow_nan=False, allow_infinity=False),
        when=st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=st.timezones()).map(
            datetime.isoformat
        ),
    )


# Times


def test_time_of_an_event_is_now_in_utc_to_the_second(make_event):
    when = make_event().when

    assert len(when) == len("2026-03-01T09:00:00+00:00")
    assert when.endswith("+00:00")


def test_times_are_kept_in_utc_so_that_they_can_be_ordered(progress, make_event):
    late = make_event(when="2026-03-01T10:00:00+00:00")
    early = make_event(when="2026-03-01T11:30:00.25+02:00")

    progress.add([late, early])

    assert early.when == "2026-03-01T09:30:00+00:00"
    assert progress.events() == (early, late)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "guess"},
        {"lesson_id": ""},
        {"exercise_id": ""},
        {"id": ""},
        {"lesson_id": "\ud800"},
        {"points": float("nan")},
        {"points": float("inf")},
        {"when": "yesterday"},
        {"when": "2026-03-01T10:00:00"},
        {"when": "0001-01-01T00:00:00+10:00"},
    ],
    ids=str,
)
def test_event_that_could_not_be_told_later_is_refused_at_once(make_event, fault):
    with pytest.raises(ProgressError):
        make_event(**fault)


# What is recorded is read


@given(st.lists(events(), max_size=5))
def test_what_was_recorded_is_read_again(tmp_path_factory, recorded):
    progress = Progress(tmp_path_factory.mktemp("progress") / "progress.sqlite")

    for event in recorded:
        progress.record(event)

    assert progress.events() == tuple(sorted(recorded, key=lambda event: event.when))


def test_events_of_the_same_second_stay_in_their_order(progress, make_event):
    when = "2026-03-01T10:00:00+00:00"
    recorded = [make_event(message=str(number), when=when) for number in range(20)]

    for event in recorded:
        progress.record(event)

    assert progress.events() == tuple(recorded)
    assert progress.events("affines") == tuple(recorded)


def test_events_of_one_lesson_are_told_from_others(progress, make_event):
    mine, other = make_event(), make_event(lesson_id="images")
    progress.add([mine, other])

    assert progress.events("affines") == (mine,)
    assert progress.events("nothing") == ()


def test_event_that_is_recorded_again_is_kept_once(progress, make_event):
    event = make_event()

    progress.record(event)
    progress.record(event)

    assert progress.events() == (event,)


def test_add_tells_how_many_were_new(progress, make_event):
    first, second, third = make_event(), make_event(HINT), make_event(RESET)
    progress.record(first)

    assert progress.add([first, second, third, second]) == 2
    assert progress.add([first, second, third]) == 0
    assert progress.add([]) == 0
    assert len(progress.events()) == 3


def test_add_keeps_nothing_if_one_event_cannot_be_kept(progress, make_event):
    progress.record(make_event())
    make_database(
        progress.path,
        "CREATE TRIGGER full BEFORE INSERT ON events WHEN NEW.message = 'last' "
        "BEGIN SELECT RAISE(FAIL, 'disk is full'); END",
    )

    with pytest.raises(ProgressError, match=r"2 event\(s\) were not recorded.*disk is full"):
        progress.add([make_event(), make_event(message="last")])

    assert len(progress.events()) == 1


def test_half_a_character_in_feedback_does_no_harm(progress, make_event):
    event = make_event(message="no such file: \udce4.nii")

    progress.record(event)

    assert progress.events() == (event,)
    assert event.message == r"no such file: \udce4.nii"


# Files


def test_reading_what_does_not_exist_creates_nothing(progress):
    assert progress.events() == ()
    assert not progress.path.parent.exists()


def test_reading_needs_no_right_to_create_the_folder():
    assert Progress(Path("/proc/nowhere/progress.sqlite")).events() == ()


def test_nothing_but_the_file_is_left_open_or_behind(progress, make_event):
    progress.record(make_event())
    progress.events()

    assert [file.name for file in progress.path.parent.iterdir()] == ["progress.sqlite"]


def test_readers_need_not_wait_for_a_writer(progress, make_event, monkeypatch):
    monkeypatch.setattr(database, "BUSY_S", 0.0)
    progress.record(make_event())

    with database.opened(progress.path) as connection, database.writing(connection):
        connection.execute("DELETE FROM events")
        assert len(progress.events()) == 1


def test_writers_need_not_wait_for_a_reader(progress, make_event, monkeypatch):
    monkeypatch.setattr(database, "BUSY_S", 0.0)
    progress.record(make_event())

    with database.opened(progress.path) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT * FROM events").fetchall()
        progress.record(make_event())

    assert len(progress.events()) == 2


def test_file_that_others_have_open_can_be_read_without_a_write_ahead_log(
    progress, make_event, monkeypatch
):
    monkeypatch.setattr(database, "BUSY_S", 0.0)
    progress.record(make_event())
    make_database(progress.path, "PRAGMA journal_mode = DELETE")

    with database.opened(progress.path) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT * FROM events").fetchall()
        assert len(progress.events()) == 1


def test_writer_that_waits_in_vain_says_so(progress, make_event, monkeypatch):
    monkeypatch.setattr(database, "BUSY_S", 0.05)
    progress.record(make_event())

    with (
        database.opened(progress.path) as connection,
        database.writing(connection),
        pytest.raises(ProgressError, match=r"was not recorded.*locked.*Another program holds"),
    ):
        progress.record(make_event())

    assert len(progress.events()) == 1


def test_recorded_events_are_on_the_disk_before_record_returns(progress):
    progress.path.parent.mkdir()

    with database.opened(progress.path) as connection:
        assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2


# Versions


@pytest.fixture
def first_version(progress: Progress) -> Path:
    """Return a file as version 1 has written it, with two events."""
    progress.path.parent.mkdir()
    make_database(
        progress.path,
        *database.MIGRATIONS[0],
        """INSERT INTO events VALUES
            (1, 'id-1', 'affines', 'inverse', 'hint', 0, '', '', '2026-03-01T10:00:01+00:00'),
            (2, 'id-2', 'affines', 'inverse', 'hint', 0, '', '', '2026-03-01T10:00:02+00:00')""",
        f"PRAGMA application_id = {database.APPLICATION_ID}",
        "PRAGMA user_version = 1",
    )
    return progress.path


def test_file_of_the_first_version_keeps_its_events(progress, first_version, make_event):
    old = progress.events()
    progress.record(make_event(points=2.0))

    assert [event.id for event in old] == ["id-1", "id-2"]
    assert {event.points for event in old} == {0.0}
    assert progress.events()[2].points == 2.0
    assert ask(first_version, "PRAGMA user_version") == [(database.VERSION,)]


def schema(file: Path) -> set[str]:
    (columns,) = ask(
        file, "SELECT group_concat(name || type || \"notnull\") FROM pragma_table_info('events')"
    )
    return {columns, *ask(file, "SELECT type, name FROM sqlite_master ORDER BY name")}


def test_old_file_ends_up_like_a_new_one(progress, first_version, tmp_path, make_event):
    new = Progress(tmp_path / "new.sqlite")

    progress.record(make_event())
    new.record(make_event())

    assert schema(first_version) == schema(new.path)


def test_migration_that_fails_changes_nothing(progress, first_version, monkeypatch):
    broken = (*database.MIGRATIONS, ("CREATE TABLE more (id)", "no SQL"))
    monkeypatch.setattr(database, "MIGRATIONS", broken)
    monkeypatch.setattr(database, "VERSION", len(broken))
    before = schema(first_version)

    with pytest.raises(ProgressError, match="syntax error"):
        progress.events()

    assert schema(first_version) == before
    assert ask(first_version, "PRAGMA user_version") == [(1,)]


def test_file_of_a_newer_version_is_left_as_it_is(progress, make_event):
    progress.record(make_event())
    make_database(progress.path, "PRAGMA user_version = 7")
    before = progress.path.read_bytes()

    for use in (progress.events, lambda: progress.record(make_event())):
        with pytest.raises(
            ProgressError,
            match=f"version 7.*versions up to {database.VERSION}.*Nothing.*Upgrade neuroprimer",
        ):
            use()

    assert progress.path.read_bytes() == before


# Files that are none of ours


@pytest.mark.parametrize(
    "content",
    [b"words\n" * 3, b"x" * 5000, b"SQLite format 3\0" + b"\xff" * 5000],
    ids=["short", "long", "broken"],
)
def test_damaged_file_is_named_and_left_as_it_is(progress, make_event, content):
    progress.path.parent.mkdir()
    progress.path.write_bytes(content)

    for use in (progress.events, lambda: progress.record(make_event())):
        with pytest.raises(ProgressError, match=r"progress\.sqlite: .*damaged.*Move it aside"):
            use()

    assert progress.path.read_bytes() == content
    assert len(list(progress.path.parent.iterdir())) == 1


def test_file_whose_pages_are_damaged_is_told_from_one_that_cannot_be_written(progress, make_event):
    progress.add([make_event(message="x" * 500) for _ in range(50)])
    data = bytearray(progress.path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    progress.path.write_bytes(data)

    with pytest.raises(ProgressError, match="Move it aside"):
        progress.events()

    assert progress.path.read_bytes() == data


def test_file_that_was_moved_aside_makes_room_for_a_new_one(progress, make_event):
    progress.path.parent.mkdir()
    progress.path.write_bytes(b"x" * 5000)
    progress.path.rename(progress.path.with_suffix(".damaged"))

    progress.record(make_event())

    assert len(progress.events()) == 1


def test_database_of_another_program_is_left_as_it_is(tmp_path, make_event):
    file = tmp_path / "places.sqlite"
    make_database(file, "CREATE TABLE places (id)", "INSERT INTO places VALUES (1)")
    before = file.read_bytes()

    with pytest.raises(ProgressError, match="another program"):
        Progress(file).record(make_event())

    assert file.read_bytes() == before


def test_file_that_is_being_created_is_not_taken_for_another_program_s(
    progress, make_event, monkeypatch
):
    monkeypatch.setattr(database, "BUSY_S", 0.0)
    progress.path.parent.mkdir()

    def create_meanwhile(statement):
        if "count(*)" in statement:
            with contextlib.suppress(ProgressError):  # it may have to wait
                progress.record(make_event())

    with database.opened(progress.path) as connection:
        connection.set_trace_callback(create_meanwhile)
        _, is_ours = database.identify(connection)

    assert is_ours


# Folders that cannot be written


def test_event_that_cannot_be_recorded_is_named_with_a_way_out(tmp_path, make_event):
    (tmp_path / "file").touch()

    for path in (tmp_path / "file/progress.sqlite", Path("/proc/neuroprimer/progress.sqlite")):
        with pytest.raises(ProgressError) as caught:
            Progress(path).record(make_event())

        assert caught.value.message.startswith(
            "The attempt at 'inverse' of 'affines' was not recorded: "
        )
        assert str(path.parent) in caught.value.message
        assert PROGRESS_VARIABLE in caught.value.hint
        assert "'off'" in caught.value.hint


def test_folder_in_the_place_of_the_file_is_an_error_of_ours(tmp_path, make_event):
    progress = Progress(tmp_path)

    for use in (progress.events, lambda: progress.record(make_event())):
        with pytest.raises(ProgressError, match=PROGRESS_VARIABLE):
            use()


def test_file_that_may_not_be_written_is_an_error_of_ours(progress, make_event, monkeypatch):
    progress.record(make_event())
    connect = sqlite3.connect

    def connect_read_only(path, **options):
        return connect(f"{path.as_uri()}?mode=ro", uri=True, **options)

    monkeypatch.setattr(sqlite3, "connect", connect_read_only)

    with pytest.raises(ProgressError, match=f"not recorded.*readonly.*{PROGRESS_VARIABLE}"):
        progress.record(make_event())

    assert len(progress.events()) == 1


# Where the file is


def test_file_is_in_the_folder_of_the_user_s_data(monkeypatch, tmp_path):
    monkeypatch.delenv(PROGRESS_VARIABLE, raising=False)
    monkeypatch.setattr("platformdirs.user_data_path", lambda name: tmp_path / name)

    assert progress_file() == tmp_path / "neuroprimer" / "progress.sqlite"


@pytest.mark.parametrize(
    ("said", "expected"), [("off", None), ("/data/mine.sqlite", Path("/data/mine.sqlite"))]
)
def test_variable_says_where_the_file_is(monkeypatch, said, expected):
    monkeypatch.setenv(PROGRESS_VARIABLE, said)

    assert progress_file() == expected


def test_variable_that_is_empty_says_nothing(monkeypatch):
    monkeypatch.setenv(PROGRESS_VARIABLE, "")

    assert progress_file().name == "progress.sqlite"
