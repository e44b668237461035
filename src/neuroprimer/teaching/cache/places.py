"""Places: names for files that hold on another machine, too."""

import sys
from collections.abc import Mapping
from pathlib import Path

PACKAGE = Path(__file__).parent.parent.parent

# Stands for the folder of a lesson, which is another one for each.
LESSON = "{lesson}"


class Places:
    """Names for files, by what they belong to: a course that moves keeps its runs.

    Parameters
    ----------
    lesson : pathlib.Path
        The folder that holds a lesson's file.
    plugins_dir : pathlib.Path or None
        The folder of local plugins.

    Examples
    --------
    >>> places = Places(Path("/course/lessons/affines"), None)
    >>> places.name(Path("/course/lessons/affines/exercises.py"))
    '{lesson}/exercises.py'
    >>> places.file("{lesson}/exercises.py").as_posix()
    '/course/lessons/affines/exercises.py'
    """

    def __init__(self, lesson: Path, plugins_dir: Path | None) -> None:
        folders = {LESSON: lesson, "{neuroprimer}": PACKAGE, "{environment}": Path(sys.prefix)}
        if plugins_dir is not None:
            folders["{plugins}"] = plugins_dir
        self.folders: Mapping[str, Path] = {
            name: folder.absolute() for name, folder in folders.items()
        }

    def name(self, file: Path) -> str:
        """Return the name of a file, relative to the innermost of the folders that hold it."""
        holders = [item for item in self.folders.items() if file.is_relative_to(item[1])]
        if not holders:
            return file.as_posix()
        name, folder = max(holders, key=lambda item: len(item[1].parts))
        return f"{name}/{file.relative_to(folder).as_posix()}"

    def file(self, name: str) -> Path:
        """Return the file of a name."""
        first, _, rest = name.partition("/")
        return self.folders[first] / rest if first in self.folders else Path(name)
