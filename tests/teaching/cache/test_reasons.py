"""Why a lesson ran, or did not: each reason, from a lesson that really did."""

import json
import sys
from pathlib import Path

import pytest

from neuroprimer.teaching import hookimpl, validate_lessons
from neuroprimer.teaching.cache import Store
from neuroprimer.teaching.catalogue import Catalogue
from neuroprimer.teaching.plugins import make_manager

pytestmark = pytest.mark.kernel

CACHED = "cached: nothing it depends on has changed (run of "


def flip_a_byte(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def test_first_time(make_lesson, why):
    assert why(make_lesson("1")) == "ran: never ran before"


def test_nothing_changed(make_lesson, why):
    lesson = make_lesson("1")
    why(lesson)

    assert why(lesson).startswith(CACHED)


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        (("1", "22", "3"), "ran: code cell 2 changed"),
        (("0", "1", "2", "3"), "ran: code cell 1 changed"),
        (("1", "2", "3", "4"), "ran: code cell 4 is new"),
        (("1", "2"), "ran: code cell 3 is gone"),
        (("1", "---\ntags: [skip-execution]\n---\n2", "3"), "ran: code cell 2 changed"),
    ],
)
def test_code_changed(make_lesson, why, cells, reason):
    why(make_lesson("1", "2", "3"))

    assert why(make_lesson(*cells)) == reason


def test_look_of_the_page_is_no_reason(make_lesson, why):
    why(make_lesson("1"))

    assert why(make_lesson("---\ntags: [hide-input]\n---\n1")).startswith(CACHED)


def test_limit_is_no_reason(make_lesson, why):
    why(make_lesson("1"))

    assert why(make_lesson("1", cell_timeout_s=99)).startswith(CACHED)


def test_older_run_holds_again_when_the_change_is_taken_back(make_lesson, why):
    why(make_lesson("1"))
    why(make_lesson("2"))

    assert why(make_lesson("1")).startswith(CACHED)
    assert why(make_lesson("2")).startswith(CACHED)


def test_imported_module_changed(make_lesson, why, importable):
    helper = importable / "rotations.py"
    helper.write_text("X = 1")
    lesson = make_lesson("import rotations\nrotations.X")
    why(lesson)
    helper.write_text("X = 2")

    assert why(lesson) == "ran: rotations.py changed"
    assert why(lesson).startswith(CACHED)


def test_imported_module_is_gone(make_lesson, why, importable):
    package = importable / "turns"
    package.mkdir()
    (package / "__init__.py").write_text("")
    lesson = make_lesson("import turns")
    why(lesson)
    (package / "__init__.py").unlink()

    assert why(lesson) == "ran: turns/__init__.py is gone"


def test_module_that_a_lesson_writes_itself_is_spoken_for_by_its_cells(make_lesson, why):
    lesson = make_lesson(
        "from pathlib import Path; Path('own.py').write_text('X = 1')",
        "import sys; sys.path.insert(0, ''); import own",
    )
    why(lesson)

    assert why(lesson).startswith(CACHED)


def install(folder: Path, version: str, **files: str) -> None:
    """Install the distribution 'helper' in place of the one before."""
    for old in folder.glob("helper-*.dist-info"):
        for file in old.iterdir():
            file.unlink()
        old.rmdir()
    metadata = folder / f"helper-{version}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: helper\nVersion: {version}\n")
    (metadata / "RECORD").write_text("helper.py,sha256=x,1\n")
    for name, text in files.items():
        (metadata / name.replace("_json", ".json")).write_text(text)


def test_distribution_has_another_version(make_lesson, why, importable):
    (importable / "helper.py").write_text("X = 1")
    install(importable, "0.14.1")
    lesson = make_lesson("import helper")
    why(lesson)
    install(importable, "0.14.2")

    assert why(lesson) == "ran: helper 0.14.1 -> 0.14.2"


def test_distribution_from_a_folder_was_installed_anew(make_lesson, why, importable):
    (importable / "helper.py").write_text("X = 1")
    install(importable, "1.0", direct_url_json="{}")
    lesson = make_lesson("import helper")
    why(lesson)
    assert why(lesson).startswith(CACHED)
    install(importable, "1.0", direct_url_json="{}", RECORD="helper.py,sha256=y,1\n")

    assert why(lesson) == "ran: helper was installed anew"


def test_distribution_with_plugins_is_known_by_its_files(make_lesson, why, importable):
    (importable / "helper.py").write_text("X = 1")
    install(importable, "1.0", **{"entry_points.txt": "[neuroprimer]\nhelper = helper\n"})
    lesson = make_lesson("import helper")
    why(lesson)
    (importable / "helper.py").write_text("X = 2")

    assert why(lesson) == "ran: helper.py changed"


def test_dataset_changed(make_lesson, why, pain_maps):
    lesson = make_lesson("1", datasets="[pain-maps]")
    why(lesson, plugins=(pain_maps,))
    pain_maps.file.write_text("1,2,4")

    assert why(lesson, plugins=(pain_maps,)) == "ran: dataset pain-maps changed"
    assert why(lesson, plugins=(pain_maps,)).startswith(CACHED)


def test_dataset_is_new(make_lesson, why, pain_maps):
    why(make_lesson("1"))

    lesson = make_lesson("1", datasets="[pain-maps]")
    assert why(lesson, plugins=(pain_maps,)) == "ran: dataset pain-maps is new"


def test_dataset_that_a_plugin_makes_when_asked_is_no_change(make_lesson, why, pain_maps):
    class Makes(type(pain_maps)):
        @hookimpl
        def provide_dataset(self, dataset):
            if not self.file.exists():
                self.file.write_text("1,2,3")
            return [self.file]

    makes = Makes(pain_maps.file)
    makes.file.unlink()
    lesson = make_lesson("1", datasets="[pain-maps]")

    assert why(lesson, plugins=(makes,)) == "ran: never ran before"
    assert why(lesson, plugins=(makes,)).startswith(CACHED)


def test_run_without_its_dataset_is_not_kept(make_lesson, why):
    lesson = make_lesson("1", datasets="[pain-maps]")

    assert why(lesson) == "ran: never ran before; not kept: nobody provides its dataset pain-maps"


def test_variable_changed(make_lesson, why, monkeypatch, cache_folder):
    lesson = make_lesson("1", environment="[COLOUR]")
    monkeypatch.setenv("COLOUR", "a-secret")
    why(lesson)
    assert why(lesson).startswith(CACHED)
    monkeypatch.delenv("COLOUR")

    assert why(lesson) == "ran: variable COLOUR changed"
    files = [file for file in cache_folder.rglob("*") if file.is_file()]
    assert not [file for file in files if b"a-secret" in file.read_bytes()]


def test_variable_that_is_not_declared_is_no_reason(make_lesson, why, monkeypatch):
    why(make_lesson("1"))
    monkeypatch.setenv("COLOUR", "grey")

    assert why(make_lesson("1")).startswith(CACHED)


def test_what_executes_lessons_counts_for_each(make_lesson, why, cache_folder):
    why(make_lesson("1"))

    (entry,) = Store(cache_folder).entries()
    assert {"{neuroprimer}/teaching/cell_runs.py", "{neuroprimer}/teaching/notebooks.py"} <= set(
        entry.dependencies.modules
    )
    assert "nbclient" in entry.dependencies.distributions


def test_another_python(make_lesson, why, monkeypatch):
    lesson = make_lesson("1")
    why(lesson)
    monkeypatch.setattr(sys, "version", "3.99.1 (main)")

    before = ".".join(map(str, sys.version_info[:3]))
    assert why(lesson) == (
        f"ran: Python {before} -> 3.99.1; "
        f"not kept: its kernel runs another Python than the build, {before}"
    )


@pytest.fixture
def describe_kernel(tmp_path, monkeypatch):
    """Describe a kernel to Jupyter, which runs this Python, by the name 'mine'."""
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    spec = tmp_path / "jupyter" / "kernels" / "mine" / "kernel.json"
    spec.parent.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    return lambda name: spec.write_text(json.dumps({"argv": argv, "display_name": name}))


def test_another_kernel(make_lesson, why, describe_kernel):
    describe_kernel("Mine")
    why(make_lesson("1", kernel="python3"))

    assert why(make_lesson("1", kernel="mine")) == "ran: kernel python3 -> mine"


def test_kernel_is_described_anew(make_lesson, why, describe_kernel):
    describe_kernel("Mine")
    lesson = make_lesson("1", kernel="mine")
    why(lesson)
    describe_kernel("Still mine")

    assert why(lesson) == "ran: the description of the kernel mine changed"


def test_network_was_turned_on(make_lesson, why):
    why(make_lesson("1"))

    assert why(make_lesson("1", network="true")) == "ran: its network was turned on"


def test_plugin_that_the_lesson_has_seen_is_blocked(
    write_lesson, write_plugin, course_folder, neuroprimer, our_plugins
):
    write_lesson("import neuroprimer\nneuroprimer.lesson('a-lesson').lesson.id")
    write_plugin("extra", "")
    command = ("validate", "--explain", "--course", course_folder)
    neuroprimer(*command)

    again = neuroprimer(*command)
    without = neuroprimer(*command, blocked=(*our_plugins, "extra"))

    assert CACHED in again.stdout
    assert "ran: plugin extra is blocked" in without.stdout


def test_several_changes_are_one_sentence(make_lesson, why, importable, monkeypatch):
    (importable / "helper.py").write_text("X = 1")
    why(make_lesson("import helper", environment="[COLOUR, SOUND]"))
    (importable / "helper.py").write_text("X = 2")
    monkeypatch.setenv("COLOUR", "grey")
    monkeypatch.setenv("SOUND", "none")

    lesson = make_lesson("import helper  # too", environment="[COLOUR, SOUND]")
    assert why(lesson) == (
        "ran: code cell 1 changed, helper.py changed, variable COLOUR changed and 1 more"
    )


@pytest.mark.parametrize("file", ["run-*.json", "outputs-*.json"])
def test_stored_run_is_damaged(make_lesson, why, cache_folder, file):
    lesson = make_lesson("1")
    why(lesson)
    (damaged,) = cache_folder.rglob(file)
    flip_a_byte(damaged)

    assert why(lesson) == "ran: the stored run is damaged"
    assert why(lesson).startswith(CACHED)


def test_outputs_are_gone(make_lesson, why, cache_folder):
    lesson = make_lesson("1")
    why(lesson)
    (outputs,) = cache_folder.rglob("outputs-*.json")
    outputs.unlink()

    assert why(lesson) == "ran: the stored run is damaged"


def test_stored_run_is_of_another_version(make_lesson, why, monkeypatch):
    lesson = make_lesson("1")
    why(lesson)
    monkeypatch.setattr("neuroprimer.teaching.cache.fingerprints.FORMAT", 99)

    assert why(lesson).startswith("ran: the stored run is of another version of neuroprimer")


def test_last_run_did_not_pass(make_lesson, why, cache_folder):
    lesson = make_lesson("1 / 0")
    why(lesson)

    assert why(lesson) == "ran: its last run did not pass"
    assert list(Store(cache_folder).entries()) == []
    assert why(make_lesson("1")) == "ran: its last run did not pass"
    assert why(make_lesson("2")) == "ran: code cell 1 changed"


def test_kernel_that_told_nothing(make_lesson, why):
    lesson = make_lesson("import sys; sys.modules['json'] = None")
    told_nothing = "its kernel told nothing of what it imports"

    assert why(lesson) == f"ran: never ran before; not kept: {told_nothing}"
    assert why(lesson) == f"ran: never ran before; not kept: {told_nothing}"


def test_file_that_cannot_be_read(make_lesson, cache_folder):
    lesson = make_lesson("1")
    lesson.path.write_text("---\nkernelspec: [\n---\n")

    catalogue = Catalogue.from_plugins(make_manager())

    (report,) = validate_lessons([lesson], catalogue, cache=cache_folder).reports

    assert [finding.rule for finding in report.findings] == ["NP201"]
    assert report.result.reason == "ran: its file cannot be read"


def test_cache_is_off(make_lesson, why):
    why(make_lesson("1"))

    assert why(make_lesson("1"), cache=None) == "ran: the cache is off"


def test_module_that_changes_while_the_lesson_runs(make_lesson, why, importable):
    helper = importable / "helper.py"
    helper.write_text("X = 1")
    lesson = make_lesson(
        f"import helper\nfrom pathlib import Path\nPath({str(helper)!r}).write_text('X = 2')"
    )

    assert why(lesson) == "ran: never ran before; not kept: helper.py changed while it ran"
