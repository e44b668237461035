"""Outputs: two runs of the same notebooks, compared cell by cell.

Pictures have to be the same to the byte. From texts, what is random in every run is taken out:
memory addresses, uuids in ids of HTML elements, and what IPython says of how long something took.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

RANDOM = re.compile(
    r"0x[0-9a-f]{6,16}\b"
    r"|\b[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\b"
    r"|(?:Wall time|CPU times): .*"
)

# What an output holds: its kind, such as "image/png" or "stdout", and its content.
Content = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What came of it.

    Parameters
    ----------
    compared, equal : Counter
        How many outputs of each kind there were, and how many were equal.
    differences : tuple of str
        One line for each that was not.
    """

    compared: Counter[str]
    equal: Counter[str]
    differences: tuple[str, ...]


def compare_outputs(theirs: Path, ours: Path) -> Comparison:
    """Compare the executed notebooks of two folders.

    Parameters
    ----------
    theirs, ours : pathlib.Path
        Hold notebooks of the same names.
    """
    compared: Counter[str] = Counter()
    equal: Counter[str] = Counter()
    differences = []
    for name in sorted({file.name for folder in (theirs, ours) for file in folder.glob("*.ipynb")}):
        missing = [folder.name for folder in (theirs, ours) if not (folder / name).exists()]
        if missing:
            differences.append(f"{name}: not in {missing[0]}")
            continue
        pairs = zip_longest(_contents(theirs / name), _contents(ours / name), fillvalue=())
        for cell, (left, right) in enumerate(pairs, start=1):
            for one, other in zip_longest(left, right, fillvalue=("nothing", "")):
                compared[one[0]] += 1
                if one == other:
                    equal[one[0]] += 1
                else:
                    differences.append(f"{name}, code cell {cell}: {_describe(one, other)}")
    return Comparison(compared=compared, equal=equal, differences=tuple(differences))


def print_comparison(comparison: Comparison) -> None:
    """Print how many outputs of each kind were equal, and every difference."""
    print("outputs of jupyter execute and of neuroprimer, cell by cell")
    for kind, count in sorted(comparison.compared.items()):
        print(f"{kind:24}{count:6} compared{comparison.equal[kind]:6} equal")
    for difference in comparison.differences:
        print(f"DIFFERENT  {difference}")


def _contents(file: Path) -> Iterator[tuple[Content, ...]]:
    """Yield what each code cell has put out, the streams first: their pieces are chance."""
    for cell in nbformat.read(file, as_version=4).cells:
        if cell.cell_type == "code":
            streams = {
                name: "".join(out.text for out in cell.outputs if out.get("name") == name)
                for name in ("stdout", "stderr")
            }
            others = [content for out in cell.outputs for content in _contents_of_output(out)]
            yield (*((name, _plain(text)) for name, text in streams.items() if text), *others)


def _contents_of_output(output: NotebookNode) -> Iterator[Content]:
    if output.output_type == "error":
        yield "error", _plain(f"{output.ename}: {output.evalue}")
    for kind, content in sorted(output.get("data", {}).items()):
        yield kind, content.strip() if kind == "image/png" else _plain(content)


def _plain(content: Any) -> str:
    return RANDOM.sub("...", content if isinstance(content, str) else repr(content))


def _describe(one: Content, other: Content) -> str:
    if one[0] != other[0]:
        return f"{one[0]} against {other[0]}"
    place = next(
        (n for n, (a, b) in enumerate(zip(one[1], other[1], strict=False)) if a != b),
        min(len(one[1]), len(other[1])),
    )
    around = slice(max(0, place - 20), place + 40)
    return f"{one[0]}, at character {place}: {one[1][around]!r} against {other[1][around]!r}"
