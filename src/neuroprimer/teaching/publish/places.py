"""Places: where a build puts what it makes, and that nothing of others is ever touched."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from neuroprimer.errors import NeuroprimerError
from neuroprimer.teaching.publish.replace import replace_folder, restore_folder

SITE_FOLDER = "site"
RUN_FOLDER = "run"
NOTEBOOKS_FOLDER = "notebooks"
STAGE_PREFIX = ".stage-"

# The other book tools that a course can be exported for; `other_tools` knows how.
MYST, SPHINX = TOOLS = ("myst", "sphinx")

# What the site was made of, and what it was like then; beside it, since nobody is to read it.
MANIFEST = ".site.json"

# Lies in every folder we made. One without it is somebody else's, and never replaced or removed.
MARKER = ".made-by-neuroprimer"


class PublishError(NeuroprimerError, OSError):
    """A place to which no site can be published."""


def require_output(output: Path) -> None:
    """Make the output folder if need be, and raise if a build cannot be put into it.

    Raises
    ------
    PublishError
        If it cannot be written, or what we would replace in it is not ours.
    """
    with writing_into(output):
        output.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=output, prefix=STAGE_PREFIX):
            pass
        for folder in (output / SITE_FOLDER, output / RUN_FOLDER):
            restore_folder(folder)
            require_ours(folder)


def clean_output(output: Path) -> tuple[Path, ...]:
    """Remove what builds have made in an output folder, and nothing else.

    Parameters
    ----------
    output : pathlib.Path
        An output folder of earlier builds.

    Returns
    -------
    removed : tuple of pathlib.Path
        What is gone.

    Raises
    ------
    PublishError
        If a folder in the place of ours was not made by neuroprimer; nothing is removed then.
    """
    ours = [output / SITE_FOLDER, output / RUN_FOLDER]
    for folder in ours:
        require_ours(folder)
    left_over = sorted(output.glob(f"{STAGE_PREFIX}*"))
    removed = [folder for folder in (*ours, *left_over) if folder.is_dir()]
    with writing_into(output):
        for folder in removed:
            shutil.rmtree(folder)
        (output / MANIFEST).unlink(missing_ok=True)
    return tuple(removed)


@contextlib.contextmanager
def make_stage(output: Path) -> Iterator[Path]:
    """Give a folder beside the final ones, which is gone at the end whatever happens.

    Raises
    ------
    PublishError
        If the output folder, which is made if need be, cannot be written.
    """
    with writing_into(output):
        output.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=output, prefix=STAGE_PREFIX) as folder:
            yield Path(folder)


@contextlib.contextmanager
def writing_into(output: Path) -> Iterator[None]:
    """Turn what goes wrong with an output folder into an error with words."""
    try:
        yield
    except NeuroprimerError:  # some are OSErrors, and say already what is wrong
        raise
    except OSError as error:
        raise PublishError(
            f"Cannot write into the output folder {output}: {error.strerror or error}.",
            hint="Make room in it and make it writable, or name another folder.",
        ) from error


def put_in_place(new: Path, target: Path) -> None:
    """Put a finished folder in the place of the one before it."""
    (new / MARKER).touch()
    replace_folder(new, target)


def require_ours(folder: Path) -> None:
    """Raise if there is a folder that neuroprimer has not made.

    Raises
    ------
    PublishError
        Naming it.
    """
    if folder.exists() and not (folder / MARKER).is_file():
        raise PublishError(
            f"{folder} was not made by neuroprimer: it has no {MARKER} in it.",
            hint="It is left as it is. Rename it, or name another folder.",
        )
