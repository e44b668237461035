"""What files and distributions are known by."""

import os
import time
from importlib import metadata
from pathlib import Path

import nibabel
import pytest
import sphinxcontrib.bibtex
import yaml

from neuroprimer.teaching.cache.digests import Digests
from neuroprimer.teaching.cache.distributions import Distributions
from neuroprimer.teaching.cache.fingerprints import ENGINE
from neuroprimer.teaching.cache.places import PACKAGE, Places

INSTALLED = sorted({dist.name for dist in metadata.distributions()})


@pytest.fixture(scope="module")
def distributions() -> Distributions:
    return Distributions()


def test_versions_are_those_of_importlib(distributions):
    ours = {
        name: version.partition(" (")[0] for name, version in distributions.all_versions.items()
    }

    theirs = {
        name.replace("_", "-").replace(".", "-").lower(): metadata.version(name)
        for name in INSTALLED
    }
    assert ours == theirs


@pytest.mark.parametrize(
    ("module", "owner"),
    [(nibabel, "nibabel"), (yaml, "pyyaml"), (sphinxcontrib.bibtex, "sphinxcontrib-bibtex")],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_owner_of_a_module_is_found(distributions, module, owner):
    assert distributions.owner(module.__file__) == owner


def test_file_that_nobody_has_installed_has_no_owner(distributions, tmp_path):
    assert distributions.owner(str(tmp_path / "helper.py")) is None
    assert distributions.owner(str(Path(yaml.__file__).parent.parent / "dropped_here.py")) is None
    assert distributions.owner(os.__file__) is None


def test_distribution_that_is_not_installed_has_no_version(distributions):
    assert distributions.version("no-such-thing") == ""


def test_distributions_with_plugins_are_known(distributions):
    assert {"neuroprimer", "neuroprimer-glm", "neuroprimer-smoothing"} <= distributions.of_plugins


def test_engine_names_what_there_is():
    assert [name for name in ENGINE if not (PACKAGE / "teaching" / name).exists()] == []


def test_innermost_folder_names_a_file(tmp_path):
    places = Places(tmp_path / "plugins" / "affines", tmp_path / "plugins")

    names = [places.name(tmp_path / name) for name in ("plugins/affines/a.py", "plugins/b.py", "c")]

    assert names == ["{lesson}/a.py", "{plugins}/b.py", f"{tmp_path}/c"]
    assert [places.file(name) for name in names] == [
        tmp_path / "plugins/affines/a.py",
        tmp_path / "plugins/b.py",
        tmp_path / "c",
    ]


def settled_file(folder: Path) -> Path:
    file = folder / "data.bin"
    file.write_bytes(b"one")
    os.utime(file, (time.time() - 100, time.time() - 100))
    return file


def test_digest_of_a_settled_file_is_remembered(tmp_path):
    file = settled_file(tmp_path)
    first = Digests(tmp_path / "memory.json")
    digest = first.settled(file)
    first.save()
    status = file.stat()
    file.write_bytes(b"two")  # behind the back of the file system's clock
    os.utime(file, ns=(status.st_mtime_ns, status.st_mtime_ns))

    assert Digests(tmp_path / "memory.json").settled(file) == digest
    assert Digests().settled(file) != digest


def test_digest_of_a_file_just_written_is_not_remembered(tmp_path):
    file = tmp_path / "data.bin"
    file.write_bytes(b"one")
    digests = Digests(tmp_path / "memory.json")
    digest = digests.settled(file)
    status = file.stat()
    file.write_bytes(b"two")
    os.utime(file, ns=(status.st_mtime_ns, status.st_mtime_ns))

    assert digests.settled(file) != digest


@pytest.mark.parametrize("damage", [b"", b"{}", b"not json at all"])
def test_damaged_memory_is_no_memory(tmp_path, damage):
    memory = tmp_path / "memory.json"
    memory.write_bytes(damage)

    assert Digests(memory).settled(settled_file(tmp_path))


def test_digest_of_a_folder_tells_of_names_and_content(tmp_path):
    folder = tmp_path / "data"
    (folder / "below").mkdir(parents=True)
    (folder / "below" / "a").write_text("1")
    before = Digests().of_all([folder])

    (folder / "below" / "a").rename(folder / "below" / "b")
    renamed = Digests().of_all([folder])
    (folder / "below" / "b").write_text("2")
    changed = Digests().of_all([folder])

    assert len({before, renamed, changed}) == 3
