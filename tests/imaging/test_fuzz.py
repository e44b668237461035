"""Fuzzing the loader: a small portion of it here, and whether the fuzzer would notice."""

import importlib.util
import io
import re
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroprimer.errors import NeuroprimerError
from neuroprimer.imaging import ImageFileError, load_image, load_voxels

FUZZER = Path(__file__).with_name("fuzz_loader.py")


def load_fuzzer():
    spec = importlib.util.spec_from_file_location("fuzz_loader", FUZZER)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where its dataclass looks for itself
    spec.loader.exec_module(module)
    return module


fuzz = load_fuzzer()
SEEDS = fuzz.make_seeds()
STREAMED = sorted(name for name in SEEDS if re.search(r"\.(nii|nii\.gz|mgh|mgz)$", name))


def run_fuzzer(*options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(FUZZER), *map(str, options)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_three_hundred_damaged_files_are_read_or_refused_in_words():
    done = run_fuzzer("--count", 300, "--seed", 0)

    assert done.stdout.splitlines()[-1] == "300 cases, 0 failed", done.stdout + done.stderr
    assert done.returncode == 0


@pytest.mark.parametrize("name", sorted(SEEDS))
@pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <_io.FileIO:pytest.PytestUnraisableExceptionWarning"
)
def test_every_file_is_sound_before_it_is_damaged(tmp_path, name):
    for file_name, content in SEEDS[name].items():
        (tmp_path / file_name).write_bytes(content)

    assert load_voxels(load_image(tmp_path / name)).size > 0


@pytest.mark.parametrize("name", STREAMED)
@settings(max_examples=30)
@given(data=st.data())
def test_no_bytes_in_the_place_of_others_bring_another_error(name, data):
    content = bytearray(SEEDS[name][name])
    place = data.draw(st.integers(0, min(len(content), 400) - 1))
    other = data.draw(st.binary(min_size=1, max_size=8))
    content[place : place + len(other)] = other

    with warnings.catch_warnings():
        for category, message in fuzz.LET_THROUGH:
            warnings.filterwarnings("ignore", message, category)
        try:
            load_voxels(load_image(io.BytesIO(content)))
        except NeuroprimerError as error:
            refused = error
        else:
            return
    assert refused.hint


@given(content=st.binary(max_size=2000))
def test_bytes_of_any_kind_are_refused_in_words(content):
    with pytest.raises(ImageFileError) as caught:
        load_image(io.BytesIO(content))
    assert caught.value.hint


def test_same_number_is_the_same_damage():
    assert fuzz.damage(12, 3, SEEDS) == fuzz.damage(12, 3, SEEDS)
    assert fuzz.damage(12, 3, SEEDS) != fuzz.damage(13, 3, SEEDS)


@pytest.mark.parametrize("mutate", sorted({*fuzz.MUTATIONS}, key=lambda mutate: mutate.__name__))
def test_every_mutation_changes_some_file(mutate):
    changed = 0
    for number, name in enumerate(sorted(SEEDS)):
        files = dict(SEEDS[name])
        mutate(files, np.random.default_rng(number))
        changed += files != SEEDS[name]

    assert changed >= 4


# --- would it notice? -----------------------------------------------------------------------------


def raise_value_error(path: Path) -> None:
    raise ValueError(f"a bare one about {path.name}")


def refuse_without_a_hint(path: Path) -> None:
    raise ImageFileError(f"Cannot open {path.name}.")


def warn(path: Path) -> None:
    warnings.warn(f"something about {path.name}", RuntimeWarning, stacklevel=2)


def take_for_ever(path: Path) -> None:
    del path
    while True:
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("probe", "says"),
    [
        (raise_value_error, "loader: ValueError: a bare one about"),
        (refuse_without_a_hint, "loader: no hint: Cannot open"),
        (warn, "loader: warned: something about"),
        (take_for_ever, "loader: took more than"),
    ],
)
def test_fuzzer_reports_a_loader_that_lets_something_through(tmp_path, monkeypatch, probe, says):
    monkeypatch.setattr(fuzz, "TIME_LIMIT_S", 0.2)

    def too_slow(*_: object) -> None:
        raise fuzz.TooSlow

    before = signal.signal(signal.SIGALRM, too_slow)
    try:
        report = fuzz.run_case(1, 0, tmp_path, SEEDS, {"loader": probe})
    finally:
        signal.signal(signal.SIGALRM, before)
    lines: list[str] = []

    n_failed = fuzz.summarise(iter([report]), lines.append)

    assert n_failed == 1
    assert lines[0].startswith("FAILED case 1 (")
    assert says in lines[0]


def test_fuzzer_is_content_with_a_loader_that_reads_or_refuses(tmp_path):
    def refuse(path: Path) -> None:
        raise ImageFileError(f"Cannot open {path.name}.", hint="Fetch it again.")

    report = fuzz.run_case(1, 0, tmp_path, SEEDS, {"one": refuse, "other": lambda path: path})

    assert report.outcomes == {"one": "ImageFileError", "other": "read"}
    assert fuzz.summarise(iter([report]), [].append) == 0


# The fuzzer with another probe, also in the child that it starts.
CRASHING = """
import ctypes, importlib.util, os, sys
spec = importlib.util.spec_from_file_location("fuzz_loader", {fuzzer!r})
fuzz = importlib.util.module_from_spec(spec)
sys.modules["fuzz_loader"] = fuzz
spec.loader.exec_module(fuzz)

def probe(path):
    if {kind!r} == "crash":
        ctypes.string_at(0)
    bytearray(fuzz.MEMORY_LIMIT_BYTES)

fuzz.PROBES = {{}}
fuzz.run_case.__defaults__ = ({{"loader": probe}},)
fuzz.__file__ = __file__
sys.exit(fuzz.main())
"""


@pytest.mark.parametrize(
    ("kind", "says"), [("crash", "ended with status -11"), ("memory", "loader: MemoryError")]
)
def test_fuzzer_survives_and_reports_a_crash_and_a_waste_of_memory(tmp_path, kind, says):
    program = tmp_path / "crashing.py"
    program.write_text(CRASHING.format(fuzzer=str(FUZZER), kind=kind))

    done = subprocess.run(
        [sys.executable, str(program), "--count", "2"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1, done.stderr
    assert [says in line for line in done.stdout.splitlines()[:2]] == [True, True], done.stdout
    assert done.stdout.splitlines()[-1] == "2 cases, 2 failed"
