"""Distributions: what is installed, found without the slow ways of importlib.metadata."""

import contextlib
import os
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property
from importlib.metadata import entry_points
from pathlib import Path

from neuroprimer.teaching.hookspecs import PROJECT
from neuroprimer.teaching.sealed import digest_of

METADATA_FOLDER = re.compile(r"(?P<name>.+?)-(?P<version>[^-]+)(-py[\d.]+)?\.(dist|egg)-info")


class Distributions:
    """The distributions that this interpreter finds.

    Parameters
    ----------
    folders : iterable of str, optional
        Where packages are looked for. Default: `sys.path`.
    """

    def __init__(self, folders: Iterable[str] | None = None) -> None:
        searched = sys.path if folders is None else folders
        self._metadata: dict[str, Path] = {}
        self._versions: dict[str, str] = {}
        self._told: dict[str, str] = {}
        self._owner_of: dict[str, str | None] = {}
        self.folders: list[Path] = []
        for folder in dict.fromkeys(Path(entry).absolute() for entry in searched if entry):
            found = [
                (match, folder / match[0])
                for match in map(METADATA_FOLDER.fullmatch, _names_in(folder))
                if match
            ]
            if found:
                self.folders.append(folder)
            for match, metadata in found:  # the first folder wins, as for an import
                self._metadata.setdefault(_normal(match["name"]), metadata)
                self._versions.setdefault(_normal(match["name"]), match["version"])

    def version(self, name: str) -> str:
        """Return the version of a distribution, or nothing when it is not installed.

        One that was installed from a folder or a repository may change while its version stays;
        such a version goes with a digest of the list of its files.
        """
        if name not in self._told:
            self._told[name] = self._version(name)
        return self._told[name]

    def _version(self, name: str) -> str:
        version = self._versions.get(name, "")
        metadata = self._metadata.get(name)
        if metadata is not None and (metadata / "direct_url.json").is_file():
            listing = metadata / "RECORD"
            digest = digest_of(listing.read_bytes()) if listing.is_file() else ""
            return f"{version} ({digest[:12]})"
        return version

    @property
    def all_versions(self) -> Mapping[str, str]:
        """Every distribution with its version."""
        return {name: self.version(name) for name in sorted(self._versions)}

    def owner(self, file: str) -> str | None:
        """Return which distribution has installed a file, or None when none has."""
        if file not in self._owner_of:
            self._owner_of[file] = self._owner(file)
        return self._owner_of[file]

    def _owner(self, file: str) -> str | None:
        for folder in self.folders:
            beginning = f"{folder}{os.sep}"
            if file.startswith(beginning):
                name = file.removeprefix(beginning).replace(os.sep, "/")
                owners = self._owners[folder].get(name.partition("/")[0], ())
                if len(owners) == 1:
                    return owners[0]
                return next((one for one in owners if name in self._files(one)), None)
        return None

    @cached_property
    def of_plugins(self) -> frozenset[str]:
        """The distributions that bring plugins."""
        return frozenset(
            _normal(point.dist.name) for point in entry_points(group=PROJECT) if point.dist
        )

    @cached_property
    def _owners(self) -> Mapping[Path, Mapping[str, tuple[str, ...]]]:
        """Folder -> top-level name -> distributions that have installed something of it."""
        owners: dict[Path, defaultdict[str, tuple[str, ...]]] = {
            folder: defaultdict(tuple) for folder in self.folders
        }
        for name, metadata in self._metadata.items():
            tops = {_first_part(line) for line in _listing(metadata)}
            for top in sorted(tops):
                owners[metadata.parent][top] += (name,)
        return owners

    def _files(self, name: str) -> frozenset[str]:
        """Return the files of a distribution that shares its top-level name with others."""
        lines = _listing(self._metadata[name])
        return frozenset(re.sub(r"(,[^,]*){2}$", "", line).strip('"') for line in lines)


def _names_in(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in folder.iterdir())
    except OSError:
        return []


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _first_part(line: str) -> str:
    return line.partition("/" if "/" in line else ",")[0].strip('"')


def _listing(metadata: Path) -> list[str]:
    """Return what a distribution says that it has installed, relative to its folder."""
    for listing in ("RECORD", "top_level.txt"):  # the second is from the time before wheels
        with contextlib.suppress(OSError):
            return (metadata / listing).read_text(encoding="utf-8").splitlines()
    return []
