"""The commands about data, with a small dataset that a plugin makes."""

import json
import subprocess
import sys
from textwrap import dedent

import pytest

PLUGIN = """
import hashlib
from pathlib import Path

from neuroprimer.teaching import Dataset, Variant, download, hookimpl, keep_dataset

FULL = Variant(name="full", title="All of it", licence="CC BY", citation="", is_synthetic=False)
BRAIN = Dataset(
    id="brain", title="A brain", description="", licence="CC0", citation="", is_synthetic=True,
    files={"a.txt": hashlib.sha256(b"one").hexdigest()}, size_mb=0.25, further=(FULL,),
)

def fetch(folder):
    for name in ("b.txt", "c.txt"):
        download(f"https://brains.invalid/{name}", folder / name)

@hookimpl
def register_datasets():
    return [BRAIN]

@hookimpl
def provide_dataset(dataset, folder, variant):
    if dataset.id == "brain" and variant == "sample":
        return keep_dataset(dataset, folder, lambda made: (made / "a.txt").write_bytes(b"one"))
    if dataset.id == "brain":
        return keep_dataset(dataset, folder, fetch, variant=variant, resumes=True)
"""


@pytest.fixture
def data(tmp_path, monkeypatch, neuroprimer, our_plugins):
    """Return a function that runs a command about data with the plugin alone."""
    monkeypatch.setenv("NEUROPRIMER_DATA", str(tmp_path / "data"))
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    (plugins / "brains.py").write_text(dedent(PLUGIN))
    options = [
        *("--plugins-dir", str(plugins)),
        *(f"--block-plugin={name}" for name in our_plugins),
    ]
    return lambda command, *words: neuroprimer("data", command, *map(str, words), *options)


def test_list_fetch_and_verify_tell_what_is_here(data):
    listed = json.loads(data("list", "--json").stdout)["datasets"]
    assert [(one["id"], one["synthetic"], one["state"]) for one in listed] == [
        ("brain", True, "no")
    ]
    assert "nothing to verify" in data("verify").stdout

    fetched = data("fetch", "brain")

    assert fetched.returncode == 0
    assert "brain: 1 file(s) in" in fetched.stdout
    rows = [line.split() for line in data("list").stdout.splitlines()[1:]]
    assert rows == [
        ["brain", "sample", "A", "brain", "synthetic", "CC0", "0.2", "yes", "known"],
        ["brain", "full", "All", "of", "it", "measured", "CC", "BY", "no"],
    ]
    assert "all files are right" in data("verify").stdout


def test_damage_is_status_1_and_mended_by_fetching(data, tmp_path):
    data("fetch")
    (file,) = (tmp_path / "data").rglob("a.txt")
    file.write_bytes(b"two")

    verified = data("verify")

    assert verified.returncode == 1
    assert "brain: damaged: a.txt" in verified.stdout
    assert "data fetch" in verified.stderr
    data("fetch")
    assert file.read_bytes() == b"one"
    assert data("verify").returncode == 0


def test_bundle_is_fetched_from_elsewhere(data, tmp_path, monkeypatch):
    assert data("bundle", tmp_path / "b.zip").returncode == 0
    monkeypatch.setenv("NEUROPRIMER_DATA", str(tmp_path / "elsewhere"))

    fetched = data("fetch", "--from", tmp_path / "b.zip")

    assert fetched.returncode == 0
    assert [file.read_bytes() for file in (tmp_path / "elsewhere").rglob("a.txt")] == [b"one"]


def test_unknown_dataset_is_answered_with_the_near_name(data):
    done = data("fetch", "brian")

    assert done.returncode == 2
    assert "Did you mean 'brain'" in done.stderr


@pytest.fixture
def publisher(web, monkeypatch):
    """Return a server that stands for the one that publishes the whole brain."""
    monkeypatch.setenv("NEUROPRIMER_MIRROR", web.url)
    web.put("/brains.invalid/b.txt", b"two")
    web.put("/brains.invalid/c.txt", b"three")
    return web


def full_row(data) -> dict[str, object]:
    (listed,) = json.loads(data("list", "--json").stdout)["datasets"]
    return listed["variants"][1]


def asked_for(web) -> list[str]:
    return [address.rpartition("/")[2] for address, _ in web.requests]


def test_full_variant_is_fetched_once_recorded_and_verified(data, publisher):
    fetched = data("fetch", "--variant", "full")

    assert fetched.returncode == 0, fetched.stderr
    assert "brain (full): 2 file(s) in" in fetched.stdout
    assert fetched.stderr == ""  # no bar where there is no terminal
    row = full_row(data)
    assert (row["state"], row["licence"], row["synthetic"]) == ("yes", "CC BY", False)
    assert f"brain (full): all files are those {row['checksums']}\n" in data("verify").stdout
    data("fetch", "brain", "--variant", "full")
    assert asked_for(publisher) == ["b.txt", "c.txt"]


@pytest.mark.usefixtures("publisher")
def test_damaged_file_of_the_full_variant_is_told_and_fetched_again(data, tmp_path):
    data("fetch", "--variant", "full")
    (file,) = (tmp_path / "data").rglob("b.txt")
    file.write_bytes(b"bad")

    verified = data("verify")

    assert verified.returncode == 1
    assert "brain (full): damaged: b.txt" in verified.stdout
    assert "`neuroprimer data fetch brain --variant full`" in verified.stderr
    assert data("fetch", "brain", "--variant", "full").returncode == 0
    assert file.read_bytes() == b"two"


def test_fetch_that_stopped_is_told_and_goes_on_with_what_is_missing(data, publisher):
    del publisher.pages["/brains.invalid/c.txt"]

    stopped = data("fetch", "brain", "--variant", "full")

    assert stopped.returncode == 2
    assert "'brain' (full) is not here: 127.0.0.1 does not give c.txt" in stopped.stderr
    assert "`neuroprimer data fetch brain --variant full` goes on" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert full_row(data)["state"] == "begun"
    publisher.put("/brains.invalid/c.txt", b"three")
    assert data("fetch", "brain", "--variant", "full").returncode == 0
    assert asked_for(publisher) == ["b.txt", "c.txt", "c.txt"]


def test_what_is_not_as_it_was_first_is_refused_until_it_is_accepted(data, publisher, tmp_path):
    data("fetch", "--variant", "full")
    (file,) = (tmp_path / "data").rglob("b.txt")
    file.unlink()
    publisher.put("/brains.invalid/b.txt", b"new")

    refused = data("fetch", "brain", "--variant", "full")

    assert refused.returncode == 2
    assert "b.txt of 'brain' (full) is not what was fetched first" in refused.stderr
    assert "sha256 11507a0e2f5e69d5" in refused.stderr  # printf new | sha256sum
    assert "expected 3fc4ccfe745870e2" in refused.stderr  # printf two | sha256sum
    assert not file.exists()
    accepted = data("fetch", "brain", "--variant", "full", "--accept-changed")
    assert accepted.returncode == 0, accepted.stderr
    assert file.read_bytes() == b"new"
    assert "all files are those of" in data("verify").stdout
    assert asked_for(publisher) == ["b.txt", "c.txt", "b.txt", "c.txt", "b.txt"]


def test_machine_without_a_network_is_told_what_to_do(data, monkeypatch):
    monkeypatch.setenv("NEUROPRIMER_MIRROR", "http://nobody.invalid")

    done = data("fetch", "brain", "--variant", "full")

    assert done.returncode == 2
    for words in (
        "b.txt could not be fetched from nobody.invalid",
        "Is this machine online?",
        "`neuroprimer data bundle FILE.zip brain --variant full`",
        "`neuroprimer data fetch brain --variant full --from FILE.zip`",
        "they use the sample",
    ):
        assert words in done.stderr
    assert data("fetch", "brain").returncode == 0


@pytest.mark.usefixtures("publisher")
def test_bundle_takes_the_full_variant_along_and_names_its_terms(data, tmp_path, monkeypatch):
    bundled = data("bundle", tmp_path / "b.zip", "--variant", "full")
    assert "brain (full): in" in bundled.stdout
    assert "mind the terms of brain: CC BY" in bundled.stderr
    monkeypatch.setenv("NEUROPRIMER_DATA", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("NEUROPRIMER_MIRROR", "http://nobody.invalid")

    fetched = data("fetch", "--variant", "full", "--from", tmp_path / "b.zip")

    assert fetched.returncode == 0, fetched.stderr
    assert full_row(data)["state"] == "yes"
    assert data("fetch", "--variant", "full").returncode == 0
    assert "does not hold" in data("fetch", "--from", tmp_path / "b.zip").stderr


@pytest.mark.usefixtures("data")
def test_of_several_fetches_at_once_one_fetches(publisher, tmp_path):
    words = ("-m", "neuroprimer", "data", "fetch", "--variant", "full")
    options = ("--plugins-dir", str(tmp_path / "plugins"), "--block-plugin", "builtin")
    started = [
        subprocess.Popen([sys.executable, *words, *options], stdout=subprocess.DEVNULL)
        for _ in range(4)
    ]

    assert [one.wait(60) for one in started] == [0] * 4
    assert asked_for(publisher) == ["b.txt", "c.txt"]


@pytest.mark.usefixtures("publisher")
def test_terminal_shows_how_far_a_file_is(data, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")

    done = data("fetch", "--variant", "full")

    assert "b.txt" in done.stderr
    assert "0/3 bytes" in done.stderr


def test_variant_that_there_is_not_is_answered_with_those_there_are(data):
    done = data("fetch", "brain", "--variant", "huge")

    assert done.returncode == 2
    assert "no variant 'huge'.\nHint: There is: sample, full" in done.stderr
    assert "No dataset has a variant 'huge'" in data("fetch", "--variant", "huge").stderr


@pytest.mark.usefixtures("publisher")
def test_place_that_cannot_be_written_is_told(data, tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("NEUROPRIMER_DATA", str(tmp_path / "file"))

    done = data("fetch", "--variant", "full")

    assert done.returncode == 2
    assert "cannot be put into" in done.stderr
    assert "NEUROPRIMER_DATA" in done.stderr
