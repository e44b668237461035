"""The store: whole or not there, whoever is killed, and damage is noticed."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from neuroprimer.teaching.cache import Dependencies, Entry, Store
from neuroprimer.teaching.cache.store import Took
from neuroprimer.teaching.sealed import LEFT_OVER_S, UNFINISHED, seal, sweep, unseal

DEPENDENCIES = Dependencies(
    cells=("a",), kernel="python3", kernel_file="b", interpreter="3.11", network=False
)


@pytest.fixture
def store(cache_folder) -> Store:
    return Store(cache_folder)


def flip_a_byte(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def age(file: Path, seconds: float) -> None:
    before = time.time() - seconds
    os.utime(file, (before, before))


def test_what_was_kept_comes_back(store):
    took = Took(start_s=0.2, duration_s=0.9, cpu_s=0.7, peak_bytes=5)
    kept = store.keep("a-lesson", DEPENDENCIES, {"cells": ["x"]}, {1: 0.5}, took)

    (entry,) = store.entries_of("a-lesson")

    assert entry == kept
    assert store.load_outputs(entry) == {"cells": ["x"]}
    assert entry.key == DEPENDENCIES.key


@pytest.mark.parametrize(
    ("noted", "took"), [({}, Took()), ({"took": {"cpu_s": 2, "new": 1}}, Took(cpu_s=2))]
)
def test_run_kept_by_another_version_is_read_as_far_as_it_goes(store, noted, took):
    entry = store.keep("a-lesson", DEPENDENCIES, {"cells": ["x"]}, {}, Took(duration_s=9))
    content = unseal(entry.file.read_bytes())
    del content["took"]
    entry.file.write_bytes(seal({**content, **noted}))

    (found,) = store.entries_of("a-lesson")

    assert found.took == took


@pytest.mark.parametrize("place", range(0, 90, 7))
def test_any_flipped_byte_is_noticed(place):
    data = bytearray(seal({"a": "b" * 30}))
    data[place] ^= 1

    assert unseal(bytes(data)) is None


def test_outputs_in_the_place_of_others_are_noticed(store):
    entry = store.keep("a-lesson", DEPENDENCIES, {"cells": ["x"]}, {})
    entry.outputs_file.write_bytes(seal({"cells": ["y"]}))

    assert store.load_outputs(entry) is None


def test_damaged_outputs_are_written_again(store):
    entry = store.keep("a-lesson", DEPENDENCIES, {"cells": ["x"]}, {})
    flip_a_byte(entry.outputs_file)

    store.keep("a-lesson", DEPENDENCIES, {"cells": ["x"]}, {})

    assert store.load_outputs(entry) == {"cells": ["x"]}


WRITES_ON_AND_ON = """
import sys
from dataclasses import replace
from pathlib import Path
from neuroprimer.teaching.cache import Dependencies, Store

store = Store(Path(sys.argv[1]))
base = Dependencies(cells=(), kernel="k", kernel_file="", interpreter="", network=False)
print("begun", flush=True)
for number in range(10**9):
    text = str(number) * 100_000
    store.keep("a-lesson", replace(base, cells=(str(number),)), {"cells": [text]}, {})
"""


def test_killed_while_writing_leaves_no_bad_entry(store, cache_folder):
    for delay_s in (0.01, 0.03, 0.05, 0.08, 0.13):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITES_ON_AND_ON, str(cache_folder)], stdout=subprocess.PIPE
        )
        writer.stdout.readline()
        time.sleep(delay_s)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()

        entries = list(store.entries())
        assert all(isinstance(one, Entry) for one in entries)
        assert all(store.load_outputs(one) for one in entries)
        assert store.remove_damaged() == ()
    assert entries


WRITES_ALL_THE_TIME = """
import sys
from pathlib import Path
from neuroprimer.teaching.sealed import seal, write_whole

contents = [seal({"text": letter * 20_000_000}) for letter in "ab"]
print("begun", flush=True)
while True:
    for content in contents:
        write_whole(Path(sys.argv[1]), content)
"""


def test_killed_while_writing_leaves_a_whole_file(tmp_path):
    file = tmp_path / "file"
    for tenths in range(1, 9):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITES_ALL_THE_TIME, str(file)], stdout=subprocess.PIPE
        )
        writer.stdout.readline()
        while not file.exists():
            time.sleep(0.01)
        time.sleep(tenths * 0.03)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()

        assert unseal(file.read_bytes()) is not None


def test_disk_that_is_full_leaves_what_was_there(store, monkeypatch, cache_folder):
    entry = store.keep("a-lesson", DEPENDENCIES, {"cells": ["x"]}, {})
    files = sorted(cache_folder.rglob("*"))

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        store.keep("a-lesson", DEPENDENCIES, {"cells": ["y"]}, {})

    assert sorted(cache_folder.rglob("*")) == files
    assert store.load_outputs(entry) == {"cells": ["x"]}


def test_unfinished_files_are_swept_up_when_nobody_can_be_writing_them(tmp_path):
    for name, seconds in (("old", LEFT_OVER_S + 60), ("young", 0)):
        (tmp_path / f"{UNFINISHED}{name}").touch()
        age(tmp_path / f"{UNFINISHED}{name}", seconds)

    sweep(tmp_path)

    assert [file.name for file in tmp_path.iterdir()] == [f"{UNFINISHED}young"]


def test_prune_removes_what_was_not_used_for_long(store):
    old = store.keep("old", DEPENDENCIES, {"cells": ["x"]}, {})
    store.keep("young", DEPENDENCIES, {"cells": ["x"]}, {})
    for file in (old.file, old.outputs_file):
        age(file, 1000)

    removed = store.prune(unused_s=500)

    assert removed == (old.file,)
    assert [entry.lesson_id for entry in store.entries()] == ["young"]
    assert not old.file.parent.exists()


def test_entry_that_is_used_does_not_grow_old(store):
    entry = store.keep("a-lesson", DEPENDENCIES, {"cells": ["x"]}, {})
    age(entry.file, 1_000_000)

    store.mark_used(entry)

    assert store.prune(unused_s=500_000) == ()


def cli_store(store: Store) -> Entry:
    return store.keep("a-lesson", DEPENDENCIES, {"cells": ["x"]}, {})


def test_list_shows_lesson_date_size_and_key(store, neuroprimer):
    entry = cli_store(store)

    done = neuroprimer("cache", "list")
    as_json = neuroprimer("cache", "list", "--json")

    lesson, date, _, size, key = done.stdout.splitlines()[1].split()
    assert (lesson, key) == ("a-lesson", entry.key[:12])
    assert date == time.strftime("%Y-%m-%d", time.localtime(entry.when))
    assert float(size) > 0
    assert f'"key": "{entry.key}"' in as_json.stdout


def test_verify_names_and_removes_what_is_damaged(store, neuroprimer):
    entry = cli_store(store)
    well = neuroprimer("cache", "verify")
    flip_a_byte(entry.outputs_file)

    ill = neuroprimer("cache", "verify")
    after = neuroprimer("cache", "verify")

    assert (well.returncode, ill.returncode, after.returncode) == (0, 1, 0)
    assert str(entry.outputs_file) in ill.stdout
    assert list(store.entries()) == []


def test_verify_notices_a_run_in_the_place_of_another(store):
    entry = cli_store(store)
    moved = entry.file.rename(entry.file.with_name("run-0000.json"))

    assert store.remove_damaged() == (moved,)


def test_prune_on_the_command_line(store, neuroprimer):
    cli_store(store)

    few = neuroprimer("cache", "prune", "--days", "1")
    everything = neuroprimer("cache", "prune", "--all")

    assert few.stdout == "0 run(s) removed.\n"
    assert everything.stdout == "1 run(s) removed.\n"
    assert list(store.folder.iterdir()) == []
