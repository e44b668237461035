"""Replacing a folder by another in one step, or not at all."""

import ctypes
import os
import shutil
import sys
from pathlib import Path

AT_FDCWD = -100  # from fcntl.h: paths are relative to the working directory
RENAME_EXCHANGE = 2  # from linux/fs.h


def replace_folder(new: Path, target: Path) -> None:
    """Put a folder in the place of another, whose content is gone afterwards.

    Where the system can exchange two folders this is one step. Elsewhere it is two, and
    `restore_folder` mends what an interruption between them leaves.

    Parameters
    ----------
    new : pathlib.Path
        On the same file system as `target`; does not exist afterwards.
    target : pathlib.Path
        Holds what `new` held. It need not have existed.

    Raises
    ------
    OSError
        If it cannot be done; `target` is then as it was.
    """
    if not target.exists():
        new.rename(target)
    elif _exchange(new, target):
        shutil.rmtree(new, ignore_errors=True)  # the work is done; litter is no reason to fail
    else:
        _replace_in_two_steps(new, target)


def restore_folder(target: Path) -> None:
    """Put a folder back that an interrupted replacement has moved aside."""
    aside = _aside(target)
    if aside.exists() and not target.exists():
        aside.rename(target)


def _aside(target: Path) -> Path:
    return target.with_name(f".{target.name}-aside")


def _exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one system call; False where the system has none."""
    if sys.platform != "linux":
        return False
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return False
    paths = os.fsencode(one), os.fsencode(other)
    return bool(renameat2(AT_FDCWD, paths[0], AT_FDCWD, paths[1], RENAME_EXCHANGE) == 0)


def _replace_in_two_steps(new: Path, target: Path) -> None:
    aside = _aside(target)
    shutil.rmtree(aside, ignore_errors=True)
    target.rename(aside)
    try:
        new.rename(target)
    except BaseException:  # an interruption counts: the good one must be in its place
        restore_folder(target)
        raise
    shutil.rmtree(aside, ignore_errors=True)
