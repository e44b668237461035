"""Views: what a notebook shows of checks, hints, solutions and progress."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

# A mark and the colour of the line at the left of what it speaks of. Words say it, too.
MARKS = {
    "right": ("✓", "#2e7d32"),
    "wrong": ("✗", "#c62828"),
    "note": ("•", "#546e7a"),
}


# Under this key an output's metadata tell programs what it shows.
FACTS_KEY = "neuroprimer"


@dataclass(frozen=True, kw_only=True)
class View:
    """Something to be shown: rich in Jupyter, plain elsewhere.

    Parameters
    ----------
    html, text : str
        The same in both forms.
    facts : mapping
        What programs may read of it in the output's metadata.
    """

    html: str
    text: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.text


def message_view(
    kind: str, title: str, message: str, facts: Mapping[str, Any] | None = None
) -> View:
    """Return what a check or a hint says.

    Parameters
    ----------
    kind : str
        ``right``, ``wrong`` or ``note``.
    title : str
        A few words, such as the exercise's id.
    message : str
        For the student.
    facts : mapping, optional
        The same for programs.

    Examples
    --------
    >>> message_view("wrong", "world-origin", "Those are voxels, not millimetres.")
    ✗ world-origin: Those are voxels, not millimetres.
    """
    mark, colour = MARKS[kind]
    html = (
        f'<div role="status" style="border-left: 4px solid {colour}; padding: 0.3em 0.8em; '
        f'margin: 0.3em 0"><span aria-hidden="true" style="color: {colour}">{mark}</span> '
        f"<strong>{escape(title)}:</strong> {escape(message)}</div>"
    )
    return View(html=html, text=f"{mark} {title}: {message}", facts=facts or {})


def code_view(title: str, code: str) -> View:
    """Return code with a title.

    Examples
    --------
    >>> code_view("A solution of world-origin", "origin = t1.affine[:3, 3]")
    A solution of world-origin:
    <BLANKLINE>
        origin = t1.affine[:3, 3]
    """
    indented = "\n".join(f"    {line}" for line in code.splitlines())
    html = f"<p><strong>{escape(title)}:</strong></p><pre><code>{escape(code)}</code></pre>"
    return View(html=html, text=f"{title}:\n\n{indented}")


def table_view(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> View:
    """Return a table.

    Examples
    --------
    >>> table_view(("exercise", "attempts"), [("world-origin", "2")])
    exercise      attempts
    world-origin  2
    """
    lines = [tuple(headings), *(tuple(row) for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(headings))]
    text = "\n".join(
        "  ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
    head = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in headings)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(word)}</td>" for word in line) + "</tr>"
        for line in lines[1:]
    )
    html = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return View(html=html, text=text)


def show(view: View) -> None:
    """Show something at once: as an output in a notebook, as text elsewhere."""
    shell = sys.modules.get("IPython")
    if shell is not None and shell.get_ipython() is not None:
        from IPython.display import display

        display(view, metadata={FACTS_KEY: dict(view.facts)} if view.facts else None)
    else:
        print(view.text)  # noqa: T201  whoever calls this in a script wants to see it
