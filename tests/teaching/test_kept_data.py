"""Files that are made once: whole or not there, made by one, and anew when they are damaged."""

import gzip
import hashlib
import os
import shutil
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import pytest

from neuroprimer.teaching import Dataset, Variant, content_digest, keep_dataset
from neuroprimer.teaching.bundles import read_bundle, write_bundle
from neuroprimer.teaching.datasets import (
    accept_changed,
    checksums_of,
    damaged_names,
    dataset_folder,
    state_of,
)
from neuroprimer.teaching.kept_data import DatasetError
from neuroprimer.teaching.model import LessonError


def dataset(version: str = "1", **files: bytes) -> Dataset:
    digests = {
        name.replace("_", "."): hashlib.sha256(content).hexdigest()
        for name, content in files.items()
    }
    return Dataset(
        id="brain",
        title="A brain",
        description="",
        licence="CC0",
        citation="",
        is_synthetic=True,
        version=version,
        files=digests,
    )


BRAIN = dataset(a_txt=b"one", b_gz=b"two")


class Maker:
    """Writes two files, and counts how often."""

    def __init__(self, first: bytes = b"one") -> None:
        self.calls, self.first = 0, first

    def __call__(self, folder: Path) -> None:
        self.calls += 1
        (folder / "a.txt").write_bytes(self.first)
        (folder / "b.gz").write_bytes(gzip.compress(b"two", mtime=self.calls))


def never(_: Path) -> None:
    raise AssertionError("made although it is there")


def test_files_are_made_once(tmp_path):
    maker = Maker()

    files = keep_dataset(BRAIN, tmp_path, maker)
    again = keep_dataset(BRAIN, tmp_path, never)

    assert [file.name for file in files] == ["a.txt", "b.gz"]
    assert again == files
    assert maker.calls == 1


def test_digest_is_that_of_what_is_packed(tmp_path):
    for level in (1, 9):
        (tmp_path / f"{level}.gz").write_bytes(gzip.compress(b"voxels" * 1000, level, mtime=level))

    assert content_digest(tmp_path / "1.gz") == content_digest(tmp_path / "9.gz")
    assert content_digest(tmp_path / "1.gz") == hashlib.sha256(b"voxels" * 1000).hexdigest()


@pytest.mark.parametrize("damage", [lambda data: data[:-6], lambda data: data[:-2] + b"xx"])
def test_damaged_archive_has_no_digest(tmp_path, damage):
    file = tmp_path / "a.gz"
    file.write_bytes(damage(gzip.compress(b"voxels" * 1000)))

    with pytest.raises(OSError, match=r"damaged|CRC|Not a gzipped|length"):
        content_digest(file)


def test_maker_that_fails_leaves_nothing(tmp_path):
    def half(folder: Path) -> None:
        (folder / "a.txt").write_bytes(b"one")
        raise DatasetError("no more")

    with pytest.raises(DatasetError, match="no more"):
        keep_dataset(BRAIN, tmp_path, half)

    assert [path.name for path in tmp_path.iterdir()] == [".lock"]
    assert len(keep_dataset(BRAIN, tmp_path, Maker())) == 2


def test_folder_of_a_maker_that_was_killed_is_not_used(tmp_path):
    (tmp_path / "1-sample").mkdir()
    (tmp_path / "1-sample" / "a.txt").write_bytes(b"one")

    files = keep_dataset(BRAIN, tmp_path, Maker())

    assert len(files) == 2


def test_what_killed_makers_left_long_ago_is_cleared_and_what_is_new_stays(tmp_path):
    for name, age_s in ((".making-old", 7200), (".making-new", 0)):
        (tmp_path / name).mkdir()
        then = time.time() - age_s
        os.utime(tmp_path / name, (then, then))

    keep_dataset(BRAIN, tmp_path, Maker())

    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", ".making-new", "1-sample"]


@pytest.mark.parametrize("maker", [Maker(first=b"two"), lambda _: None])
def test_what_comes_out_differently_is_refused(tmp_path, maker):
    with pytest.raises(DatasetError, match=r"not version 1 of it.*data bundle"):
        keep_dataset(BRAIN, tmp_path, maker)

    assert not (tmp_path / "1-sample").exists()


def test_damaged_file_is_made_anew_and_what_a_student_has_saved_beside_it_stays(tmp_path):
    files = keep_dataset(BRAIN, tmp_path, Maker())
    files[0].write_bytes(b"cut")
    os.utime(files[0], ns=(1, 1))
    (files[0].parent / "my_results").mkdir()
    (files[0].parent / "my_result.nii.gz").write_bytes(b"mine")

    assert keep_dataset(BRAIN, tmp_path, Maker()) == files

    assert files[0].read_bytes() == b"one"
    assert sorted(path.name for path in files[0].parent.iterdir()) == [
        ".whole.json",
        "a.txt",
        "b.gz",
        "my_result.nii.gz",
        "my_results",
    ]


@pytest.mark.parametrize("variant", ["sample", "full"])
def test_what_a_student_saves_beside_the_files_is_none_of_them(tmp_path, variant):
    files = keep_dataset(BRAIN, tmp_path, Maker(), variant=variant)
    (files[0].parent / "my_result.nii.gz").write_bytes(b"")

    assert keep_dataset(BRAIN, tmp_path, never, variant=variant) == files


def test_missing_file_is_made_anew(tmp_path):
    files = keep_dataset(BRAIN, tmp_path, Maker())
    files[1].unlink()

    assert keep_dataset(BRAIN, tmp_path, Maker()) == files
    assert files[1].exists()


def test_copied_files_are_read_once_and_then_believed(tmp_path):
    files = keep_dataset(BRAIN, tmp_path, Maker())
    for file in files:
        os.utime(file, ns=(1, 1))

    assert keep_dataset(BRAIN, tmp_path, never) == files
    files[0].write_bytes(b"eno")  # as long, and as old
    os.utime(files[0], ns=(1, 1))
    assert keep_dataset(BRAIN, tmp_path, never) == files


def test_other_version_is_made_beside_it(tmp_path):
    old = keep_dataset(BRAIN, tmp_path, Maker())
    newer = dataset("2", a_txt=b"1", b_gz=b"two")

    new = keep_dataset(newer, tmp_path, Maker(first=b"1"))

    assert [old[0].read_bytes(), new[0].read_bytes()] == [b"one", b"1"]


def test_changed_digests_of_the_same_version_are_not_overlooked(tmp_path):
    keep_dataset(BRAIN, tmp_path, Maker())
    changed = dataset(a_txt=b"1", b_gz=b"two")

    files = keep_dataset(changed, tmp_path, Maker(first=b"1"))

    assert files[0].read_bytes() == b"1"


def test_place_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(DatasetError, match="NEUROPRIMER_DATA"):
        keep_dataset(BRAIN, tmp_path / "file" / "brain", Maker())


def test_of_many_processes_one_makes_the_files(tmp_path):
    program = dedent(
        """
        import sys, time
        from pathlib import Path
        from neuroprimer.teaching import Dataset, keep_dataset

        brain = Dataset(
            id="brain", title="", description="", licence="", citation="", is_synthetic=True
        )
        folder = Path(sys.argv[1])

        def make(aside):
            with (folder / "log").open("a") as log:
                log.write("made\\n")
            for number in range(20):
                (aside / f"{number}.txt").write_text("x" * number)
                time.sleep(0.02)

        files = keep_dataset(brain, folder / "data", make)
        assert [len(file.read_text()) for file in files] == sorted(range(20), key=str)
        """
    )
    started = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path)]) for _ in range(4)]

    assert [one.wait(60) for one in started] == [0] * 4
    assert (tmp_path / "log").read_text() == "made\n"


@pytest.mark.parametrize("name", ["../a", "a/b", "a\\b", "..", ""])
def test_names_that_lead_elsewhere_are_no_files(name):
    with pytest.raises(LessonError, match="cannot be a file"):
        Dataset(
            id="a",
            title="",
            description="",
            licence="",
            citation="",
            is_synthetic=True,
            files={name: "0"},
        )


@pytest.mark.parametrize("version", ["", "../1", "1/2", ".hidden"])
def test_versions_that_lead_elsewhere_are_none(version):
    with pytest.raises(LessonError, match="cannot be the version"):
        dataset(version)


@pytest.fixture
def here(tmp_path, monkeypatch) -> list[Path]:
    """Return the files of the dataset in this user's folder."""
    monkeypatch.setenv("NEUROPRIMER_DATA", str(tmp_path / "data"))
    return keep_dataset(BRAIN, dataset_folder(BRAIN), Maker())


def test_verifying_finds_damage_that_size_and_time_hide_and_has_it_mended(here):
    before = here[0].stat()
    here[0].write_bytes(b"eno")
    os.utime(here[0], ns=(before.st_atime_ns, before.st_mtime_ns))

    assert damaged_names(BRAIN) == ["a.txt"]
    keep_dataset(BRAIN, dataset_folder(BRAIN), Maker())
    assert here[0].read_bytes() == b"one"
    assert damaged_names(BRAIN) == []


def test_bundle_takes_data_to_another_place(here, tmp_path, monkeypatch):
    write_bundle(tmp_path / "b.zip", {BRAIN: here})
    monkeypatch.setenv("NEUROPRIMER_DATA", str(tmp_path / "elsewhere"))

    assert state_of(BRAIN) == "no"
    assert read_bundle(tmp_path / "b.zip", [BRAIN]) == [BRAIN]
    assert state_of(BRAIN) == "yes"
    files = keep_dataset(BRAIN, dataset_folder(BRAIN), never)
    assert [file.read_bytes() for file in files] == [file.read_bytes() for file in here]


def test_bundle_cannot_bring_other_content_or_other_names(tmp_path, monkeypatch):
    monkeypatch.setenv("NEUROPRIMER_DATA", str(tmp_path / "elsewhere"))
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("../../evil", b"")
        archive.writestr("brain/1/a.txt", b"other")
        archive.writestr("brain/1/b.gz", gzip.compress(b"two"))

    with pytest.raises(DatasetError, match=r"differ, such as a\.txt"):
        read_bundle(tmp_path / "b.zip", [BRAIN])

    assert not list(tmp_path.rglob("evil"))
    assert state_of(BRAIN) == "no"


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"no archive", "cannot be read.*Copy it again"), (None, "cannot be read.*No such file")],
)
def test_bundle_that_is_none_is_said(tmp_path, content, words):
    if content is not None:
        (tmp_path / "b.zip").write_bytes(content)

    with pytest.raises(DatasetError, match=words):
        read_bundle(tmp_path / "b.zip", [BRAIN])


def test_bundle_of_another_version_is_said(here, tmp_path):
    write_bundle(tmp_path / "b.zip", {BRAIN: here})

    with pytest.raises(DatasetError, match="does not hold version"):
        read_bundle(tmp_path / "b.zip", [dataset("2", a_txt=b"one", b_gz=b"two")])


def test_bundle_that_cannot_be_written_leaves_nothing(here, tmp_path):
    with pytest.raises(DatasetError, match="cannot be written"):
        write_bundle(tmp_path / "b.zip", {BRAIN: [*here, tmp_path / "gone"]})

    assert not list(tmp_path.glob("*b.zip*"))


def writes(**files: bytes):
    """Return what writes files, when they are not there yet."""

    def make(folder: Path) -> None:
        for name, content in files.items():
            file = folder / name.replace("_", ".")
            if not file.exists():
                file.write_bytes(content)

    return make


def keep_full(folder: Path, make, *, resumes: bool = False) -> list[Path]:
    return keep_dataset(BRAIN, folder, make, variant="full", resumes=resumes)


def test_variants_are_kept_apart_and_digests_of_the_sample_do_not_bind_others(tmp_path):
    sample = keep_dataset(BRAIN, tmp_path, Maker())

    full = keep_full(tmp_path, writes(a_txt=b"full"))

    assert [sample[0].read_bytes(), full[0].read_bytes()] == [b"one", b"full"]


@pytest.mark.parametrize(
    ("later", "words"),
    [
        (writes(a_txt=b"2"), r"a\.txt of .*sha256 d4735e.*expected 6b86b2.*--accept-changed"),
        (writes(a_txt=b"1", b_txt=b"2"), r"b\.txt of .*sha256 d4735e.*expected no such file"),
        (writes(b_txt=b"2"), r"a\.txt of .*sha256 of nothing, expected 6b86b2.*1 more differ"),
    ],
    ids=["another", "one more", "one less"],
)
def test_later_fetch_must_bring_what_the_first_brought(tmp_path, later, words):
    (file,) = keep_full(tmp_path, writes(a_txt=b"1"))
    file.unlink()

    with pytest.raises(DatasetError, match=words):
        keep_full(tmp_path, later)

    assert keep_full(tmp_path, writes(a_txt=b"1")) == [file]


@pytest.mark.usefixtures("here")
def test_record_of_the_first_fetch_outlives_the_files_and_is_renewed_on_purpose():
    folder = dataset_folder(BRAIN)
    keep_full(folder, writes(a_txt=b"1"))
    first = checksums_of(BRAIN, "full")
    shutil.rmtree(folder / "1-full")

    assert first.startswith("of 2")
    assert checksums_of(BRAIN, "full") == first
    accept_changed(BRAIN, "full")
    assert checksums_of(BRAIN, "full") == ""
    assert keep_full(folder, writes(a_txt=b"2"))[0].read_bytes() == b"2"
    assert damaged_names(BRAIN, "full") == []


def test_files_that_were_copied_here_without_a_record_get_one(tmp_path):
    keep_full(tmp_path, writes(a_txt=b"1"))
    (tmp_path / ".first-1-full.json").unlink()

    keep_full(tmp_path, never)

    assert (tmp_path / ".first-1-full.json").exists()


@pytest.mark.parametrize("record", [b"", b"[]", b"{}", b'{"day": 1}'])
def test_damaged_record_is_no_permission(tmp_path, record):
    keep_full(tmp_path, writes(a_txt=b"1"))
    (tmp_path / ".first-1-full.json").write_bytes(record)

    with pytest.raises(DatasetError, match=r"cannot be read.*--accept-changed"):
        keep_full(tmp_path, never)


def test_what_arrived_before_a_failure_is_there_the_next_time_and_nothing_hidden_stays(tmp_path):
    def half(folder: Path) -> None:
        (folder / "a.txt").write_bytes(b"1")
        (folder / ".b.txt.part").write_bytes(b"")
        (folder / ".nilearn").mkdir()
        raise DatasetError("no more")

    with pytest.raises(DatasetError, match="no more"):
        keep_full(tmp_path, half, resumes=True)
    files = keep_full(tmp_path, writes(a_txt=b"other", b_txt=b"2"), resumes=True)

    assert [file.read_bytes() for file in files] == [b"1", b"2"]
    assert {path.name for path in files[0].parent.iterdir()} == {".whole.json", "a.txt", "b.txt"}
    assert {path.name for path in tmp_path.iterdir()} == {".first-1-full.json", ".lock", "1-full"}


def test_wrong_file_alone_is_not_kept_for_the_next_time(tmp_path):
    with pytest.raises(DatasetError, match=r"1 file\(s\) of .* damaged.*b\.gz cannot be unpacked"):
        keep_full(tmp_path, writes(a_txt=b"1", b_gz=b"<html>log in"), resumes=True)

    files = keep_full(tmp_path, writes(a_txt=b"2", b_gz=gzip.compress(b"2")), resumes=True)

    assert files[0].read_bytes() == b"1"


def test_folder_among_the_files_is_said_and_not_kept_for_the_next_time(tmp_path):
    def make_folder(folder: Path) -> None:
        (folder / "maps").mkdir()
        (folder / "maps" / "a.txt").write_bytes(b"1")

    with pytest.raises(DatasetError, match=r"made for 'brain' is a folder: maps.*write them all"):
        keep_full(tmp_path, make_folder, resumes=True)

    (file,) = keep_full(tmp_path, writes(a_txt=b"1"), resumes=True)
    assert file.name == "a.txt"


def test_hidden_file_that_a_wrong_one_came_of_is_not_used_the_next_time(tmp_path):
    def fetch_by_way_of_a_cache(served: bytes):
        def make(folder: Path) -> None:
            cached = folder / ".nilearn" / "b.gz"
            cached.parent.mkdir(exist_ok=True)
            if not cached.exists():
                cached.write_bytes(served)
            shutil.copyfile(cached, folder / "b.gz")

        return make

    with pytest.raises(DatasetError, match=r"damaged.*Fetch again"):
        keep_full(tmp_path, fetch_by_way_of_a_cache(b"<html>log in"), resumes=True)

    right = gzip.compress(b"2")
    (file,) = keep_full(tmp_path, fetch_by_way_of_a_cache(right), resumes=True)
    assert file.read_bytes() == right


@pytest.mark.usefixtures("here")
def test_bundle_must_bring_what_was_fetched_first(tmp_path, monkeypatch):
    folder = dataset_folder(BRAIN)
    (file,) = keep_full(folder, writes(a_txt=b"1"))
    write_bundle(tmp_path / "b.zip", {BRAIN: [file]}, variant="full")
    monkeypatch.setenv("NEUROPRIMER_DATA", str(tmp_path / "elsewhere"))
    (elsewhere,) = keep_full(dataset_folder(BRAIN), writes(a_txt=b"2"))
    elsewhere.unlink()

    with pytest.raises(DatasetError, match="is not what was fetched first"):
        read_bundle(tmp_path / "b.zip", [BRAIN], variant="full")


def test_bundle_of_a_variant_brings_no_names_that_lead_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setenv("NEUROPRIMER_DATA", str(tmp_path / "elsewhere"))
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        for name in ("../../../evil", ".hidden", "c/d", "a.txt"):
            archive.writestr(f"brain/1/full/{name}", b"")

    read_bundle(tmp_path / "b.zip", [BRAIN], variant="full")

    assert not list(tmp_path.rglob("evil"))
    kept = dataset_folder(BRAIN) / "1-full"
    assert {path.name for path in kept.iterdir()} == {".whole.json", "a.txt"}


def test_variants_of_one_dataset_have_names_of_their_own():
    again = Variant(name="sample", title="", licence="", citation="", is_synthetic=True)

    with pytest.raises(LessonError, match="variants of the same name: sample, sample"):
        replace(BRAIN, further=(again,))
