"""Exchange: exports are read back, by us and by spreadsheets; wrong files change nothing."""

import csv
import json

import pytest

from neuroprimer.teaching.progress import exchange
from neuroprimer.teaching.progress.exchange import (
    export_progress,
    import_progress,
    load_events,
    merge_progress,
)
from neuroprimer.teaching.progress.store import (
    HINT,
    MARK,
    RESET,
    SOLUTION,
    Progress,
    ProgressError,
)


@pytest.fixture
def other(tmp_path) -> Progress:
    """Return progress on another machine."""
    return Progress(tmp_path / "other" / "progress.sqlite")


@pytest.fixture
def some_events(make_event):
    """Return an event of each kind, with words beyond ASCII, oldest first."""
    options = [
        (HINT, {"message": "Schau auf die Größe, 脳"}),
        ("attempt", {"digest": "a", "message": "Not yet."}),
        (SOLUTION, {}),
        (RESET, {}),
        ("attempt", {"digest": "b", "is_correct": True, "points": 2.5}),
    ]
    return tuple(
        make_event(kind, when=f"2026-03-01T10:00:{second:02}+00:00", **more)
        for second, (kind, more) in enumerate(options)
    )


def rows_of(file):
    with file.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


# From machine to machine


def test_export_is_imported_whole_and_once(progress, other, some_events, tmp_path):
    progress.add(some_events)
    file = tmp_path / "mine.json"

    export_progress(progress, file)

    assert import_progress(other, file) == len(some_events)
    assert other.events() == progress.events() == some_events
    assert import_progress(other, file) == 0
    assert other.events() == some_events


def test_two_machines_that_exchange_both_ways_end_up_equal(progress, other, make_event, tmp_path):
    common = [make_event(when="2026-03-01T08:00:00+00:00")]
    for machine, minute in ((progress, 0), (other, 1)):
        machine.add(common)
        for hour in (9, 11, 13):
            machine.record(make_event(when=f"2026-03-01T{hour:02}:{minute:02}:00+00:00"))
    to_other, back = tmp_path / "to-other.json", tmp_path / "back.json"

    export_progress(progress, to_other)
    assert import_progress(other, to_other) == 3
    export_progress(other, back)
    assert import_progress(progress, back) == 3

    assert progress.events() == other.events()
    assert len(progress.events()) == 7
    export_progress(progress, to_other, overwrite=True)
    assert to_other.read_bytes() == back.read_bytes()


def test_order_of_one_second_survives_the_journey(progress, other, make_event, tmp_path):
    events = tuple(
        make_event(message=str(number), when="2026-03-01T10:00:00+00:00") for number in range(20)
    )
    progress.add(events)
    files = tmp_path / "mine.json", tmp_path / "merged.json"

    export_progress(progress, files[0])
    merge_progress(files[:1], files[1])
    import_progress(other, files[1])

    assert other.events() == events


def test_export_says_its_format_and_version(progress, tmp_path):
    file = tmp_path / "mine.json"

    export_progress(progress, file)

    assert json.loads(file.read_text()) == {
        "format": "neuroprimer-progress",
        "version": 2,
        "events": [],
    }
    assert not progress.path.exists()


# Merging


def test_merged_exports_hold_every_event_once(progress, other, some_events, tmp_path):
    progress.add(some_events[:3])
    other.add(some_events[2:])
    files = [tmp_path / "one.json", tmp_path / "two.json"]
    export_progress(progress, files[0])
    export_progress(other, files[1])
    merged = tmp_path / "merged.json"

    assert merge_progress(files[::-1], merged) == 5

    assert load_events(merged) == some_events


def test_merging_into_one_of_the_files_must_be_said(progress, some_events, tmp_path):
    progress.add(some_events)
    file = tmp_path / "mine.json"
    export_progress(progress, file)
    before = file.read_bytes()

    with pytest.raises(ProgressError, match="exists"):
        merge_progress([file, file], file)
    assert merge_progress([file, file], file, overwrite=True) == 5

    assert file.read_bytes() == before


def test_merging_with_a_wrong_file_writes_nothing(progress, some_events, tmp_path):
    progress.add(some_events)
    good, bad, merged = (tmp_path / f"{name}.json" for name in ("good", "bad", "merged"))
    export_progress(progress, good)
    bad.write_text("{}")

    with pytest.raises(ProgressError, match=r"bad\.json"):
        merge_progress([good, bad], merged)

    assert not merged.exists()


def test_merged_file_must_be_called_json(tmp_path):
    with pytest.raises(ProgressError, match=r"end in \.json"):
        merge_progress([], tmp_path / "merged.csv")


# Wrong files


def content_with(**fields):
    return {"format": exchange.FORMAT, "version": 1, "events": [], **fields}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        pytest.param("[" * 100_000, "not JSON", id="deep"),
        ("lesson,exercise\r\n", "not JSON"),
        ("[]", "format"),
        ("{}", "format"),
        (json.dumps(content_with(format="notebook")), "format"),
        (json.dumps(content_with(version=0)), "version is 0"),
        (json.dumps(content_with(version="1")), "version is '1'"),
        (json.dumps(content_with(version=True)), "version is True"),
        (json.dumps(content_with(events={})), "no list of events"),
        (json.dumps(content_with(events=[1])), "event 1 does not have"),
    ],
)
def test_file_that_is_no_export_is_refused(progress, tmp_path, text, complaint):
    file = tmp_path / "mine.json"
    file.write_text(text)

    with pytest.raises(ProgressError, match=f"{complaint}.*Nothing was imported"):
        import_progress(progress, file)

    assert progress.events() == ()


def test_bytes_that_are_no_text_are_refused(progress, tmp_path):
    file = tmp_path / "mine.json"
    file.write_bytes(b"\xff\xfe\xfd" * 10)

    with pytest.raises(ProgressError, match="not JSON"):
        import_progress(progress, file)


def test_export_of_the_first_version_is_read(progress, other, some_events, tmp_path):
    other.add(some_events)
    file = tmp_path / "mine.json"
    export_progress(other, file)
    content = json.loads(file.read_text())
    file.write_text(json.dumps({**content, "version": 1}))

    assert import_progress(progress, file) == len(some_events)


def test_export_of_a_newer_version_asks_for_an_upgrade(progress, tmp_path):
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(content_with(version=3)))

    with pytest.raises(ProgressError, match=r"version 3.*versions up to 2.*Upgrade neuroprimer"):
        import_progress(progress, file)


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        ({"points": "1"}, "'points' of event 2 is '1', not a float"),
        ({"points": True}, "'points' of event 2 is True, not a float"),
        ({"points": float("nan")}, "event 2: An attempt cannot earn nan points"),
        ({"points": 10**400}, "event 2: An attempt cannot earn inf points"),
        ({"is_correct": 1}, "'is_correct' of event 2 is 1, not a bool"),
        ({"message": None}, "'message' of event 2 is None, not a str"),
        ({"kind": "guess"}, "event 2: Nothing that a student does is called 'guess'"),
        ({"when": "today"}, "event 2: 'today' is not the time"),
        ({"lesson_id": "\ud800"}, "event 2: .* cannot be the lesson_id"),
        ({"more": 1}, "event 2 does not have the fields"),
    ],
    ids=str,
)
def test_one_wrong_event_keeps_all_out(progress, other, some_events, tmp_path, fault, complaint):
    other.add(some_events)
    file = tmp_path / "mine.json"
    export_progress(other, file)
    content = json.loads(file.read_text())
    content["events"][1].update(fault)
    file.write_text(json.dumps(content))

    with pytest.raises(ProgressError, match=complaint):
        import_progress(progress, file)

    assert progress.events() == ()
    assert not progress.path.exists()


def test_missing_field_is_noticed(progress, other, some_events, tmp_path):
    other.add(some_events)
    file = tmp_path / "mine.json"
    export_progress(other, file)
    content = json.loads(file.read_text())
    del content["events"][4]["id"]
    file.write_text(json.dumps(content))

    with pytest.raises(ProgressError, match="event 5 does not have the fields"):
        import_progress(progress, file)


def test_whole_numbers_of_points_are_points(progress, other, some_events, tmp_path):
    other.add(some_events)
    file = tmp_path / "mine.json"
    export_progress(other, file)
    file.write_text(file.read_text().replace("2.5", "2"))

    import_progress(progress, file)

    assert progress.events()[4].points == 2.0


def test_file_that_does_not_exist_is_named(progress, tmp_path):
    with pytest.raises(ProgressError, match=r"Cannot read .*nowhere\.json: No such file"):
        import_progress(progress, tmp_path / "nowhere.json")


# The gradebook


def test_gradebook_has_a_row_for_each_exercise(progress, some_events, make_event, tmp_path):
    progress.add(some_events)
    progress.record(make_event(HINT, lesson_id="a-lesson", exercise_id="one, two"))
    file = tmp_path / "grades.csv"

    export_progress(progress, file)

    first, second = rows_of(file)
    assert first == {
        "lesson": "a-lesson",
        "exercise": "one, two",
        "attempts": "0",
        "hints": "1",
        "solved": "0",
        "points": "0.0",
        "first_solved": "",
    }
    assert second == {
        "lesson": "affines",
        "exercise": "inverse",
        "attempts": "2",
        "hints": "1",
        "solved": "1",
        "points": "2.5",
        "first_solved": "2026-03-01T10:00:04+00:00",
    }


def test_mark_of_ones_own_counts_nothing_in_the_gradebook(progress, make_event, tmp_path):
    progress.record(make_event(MARK))
    file = tmp_path / "grades.csv"

    export_progress(progress, file)

    (row,) = rows_of(file)
    assert (row["attempts"], row["solved"], row["points"]) == ("0", "0", "0.0")


@pytest.mark.parametrize("sign", [*exchange.FORMULA_SIGNS, " ="])
def test_no_cell_of_the_gradebook_is_a_formula(progress, make_event, tmp_path, sign):
    text = f'{sign}HYPERLINK("x";"y")'
    progress.record(make_event(lesson_id=text, exercise_id=text))
    file = tmp_path / "grades.csv"

    export_progress(progress, file)

    (row,) = rows_of(file)
    assert row["lesson"] == row["exercise"] == f"'{text}"


def test_gradebook_of_nothing_has_its_heading(progress, tmp_path):
    file = tmp_path / "grades.CSV"

    export_progress(progress, file)

    assert file.read_text().split() == [",".join(exchange.COLUMNS)]


# Writing


@pytest.mark.parametrize("suffix", [".json", ".csv"])
def test_file_is_overwritten_only_if_that_is_said(progress, some_events, tmp_path, suffix):
    progress.add(some_events)
    file = tmp_path / f"mine{suffix}"
    file.write_text("precious")

    with pytest.raises(ProgressError, match="exists, and was not replaced"):
        export_progress(progress, file)
    assert file.read_text() == "precious"

    export_progress(progress, file, overwrite=True)
    assert "inverse" in file.read_text()


def test_export_does_not_replace_the_progress_itself(make_event, tmp_path):
    progress = Progress(tmp_path / "progress.json")
    progress.record(make_event())

    with pytest.raises(ProgressError, match="holds the progress itself"):
        export_progress(progress, tmp_path / "." / "progress.json", overwrite=True)

    assert len(progress.events()) == 1


@pytest.mark.parametrize("name", ["mine.txt", "mine", "json"])
def test_other_endings_are_refused(progress, tmp_path, name):
    with pytest.raises(ProgressError, match=r"\.json or \.csv"):
        export_progress(progress, tmp_path / name)

    assert not (tmp_path / name).exists()


def test_place_that_cannot_be_written_is_named(progress, tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(ProgressError, match=r"Cannot write .*mine\.json"):
        export_progress(progress, tmp_path / "file" / "mine.json")


def test_write_that_fails_leaves_the_file_that_was_there(
    progress, some_events, tmp_path, monkeypatch
):
    progress.add(some_events)
    folder = tmp_path / "exports"
    folder.mkdir()
    (folder / "mine.json").write_text("precious")

    def fail(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(ProgressError, match="No space left"):
        export_progress(progress, folder / "mine.json", overwrite=True)

    assert (folder / "mine.json").read_text() == "precious"
    assert len(list(folder.iterdir())) == 1
