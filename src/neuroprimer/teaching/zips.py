"""Zip files that are the same whenever they hold the same, and whole or not there."""

import os
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path

EARLIEST = (1980, 1, 1, 0, 0, 0)  # a zip file knows no earlier day
UNIX = 3
READABLE = 0o100644 << 16


def write_zip(file: Path, entries: Mapping[str, Path | bytes], *, compress: bool = False) -> None:
    """Write a zip file whose bytes depend on names and contents alone.

    Parameters
    ----------
    file : pathlib.Path
        Is replaced if it exists.
    entries : mapping of str to path or bytes
        Where each file comes from, by its name in the archive, in the order of the archive.
    compress : bool
        Whether to make it smaller; images that are compressed already do not become so.

    Raises
    ------
    OSError
        If it cannot be written; what was there before is then untouched.
    """
    aside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with zipfile.ZipFile(aside, "w") as archive:
            for name, content in entries.items():
                entry = zipfile.ZipInfo(name, EARLIEST)
                entry.create_system, entry.external_attr = UNIX, READABLE
                entry.compress_type = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
                with archive.open(entry, "w", force_zip64=True) as target:
                    if isinstance(content, bytes):
                        target.write(content)
                    else:
                        with content.open("rb") as source:
                            shutil.copyfileobj(source, target)
        aside.replace(file)
    finally:
        aside.unlink(missing_ok=True)
