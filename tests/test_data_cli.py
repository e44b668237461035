"""The commands about data, with a small dataset that a plugin makes."""

import json
from textwrap import dedent

import pytest

PLUGIN = """
import hashlib
from pathlib import Path

from neuroprimer.teaching import Dataset, hookimpl, keep_dataset

BRAIN = Dataset(
    id="brain", title="A brain", description="", licence="CC0", citation="", is_synthetic=True,
    files={"a.txt": hashlib.sha256(b"one").hexdigest()}, size_mb=0.25,
)

@hookimpl
def register_datasets():
    return [BRAIN]

@hookimpl
def provide_dataset(dataset, folder, variant):
    if dataset.id == "brain" and variant == "sample":
        return keep_dataset(dataset, folder, lambda made: (made / "a.txt").write_bytes(b"one"))
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
    row = data("list").stdout.splitlines()[1].split()
    assert row == ["brain", "A", "brain", "synthetic", "CC0", "0.2", "yes"]
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
