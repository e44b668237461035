"""The page that shows how golden cells differ from their records; it needs nothing else."""

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from html import escape
from itertools import zip_longest
from pathlib import Path

from neuroprimer.errors import NeuroprimerError
from neuroprimer.teaching.golden.comparing import Comparison, Difference, compare_run
from neuroprimer.teaching.golden.marks import Mark
from neuroprimer.teaching.golden.outputs import summed_up
from neuroprimer.teaching.golden.pictures import AMPLIFIED, amplified_difference
from neuroprimer.teaching.golden.texts import Numeral, find_numbers_off
from neuroprimer.teaching.model import ExecutionResult, ValidationReport
from neuroprimer.teaching.sealed import write_whole

# Nothing may be loaded, from whatever an output holds.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"

STYLE = """
:root { color-scheme: light dark; --line: light-dark(#ccc, #555); }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
section { border-top: 1px solid var(--line); margin-top: 2rem; }
table { border-collapse: collapse; font: 0.85rem/1.4 ui-monospace, monospace; }
th { text-align: left; padding: 0.2rem 0.6rem; }
td { padding: 0 0.6rem; vertical-align: top; white-space: pre-wrap; overflow-wrap: break-word; }
td + td { border-left: 1px solid var(--line); }
td.diff_header { color: light-dark(#666, #aaa); white-space: nowrap; }
.diff_next { display: none; }
mark { background: light-dark(#ffe39a, #6b4e00); color: inherit; }
.diff_add { background: light-dark(#b6f0c0, #14532d); }
.diff_chg { background: light-dark(#ffe39a, #6b4e00); }
.diff_sub { background: light-dark(#ffc4c0, #7f1d1d); }
.pictures { display: flex; flex-wrap: wrap; gap: 1rem; margin-top: 1rem; }
figure { margin: 0; }
figcaption { font-size: 0.9rem; }
img { width: 21rem; max-width: 100%; background: white; border: 1px solid var(--line); }
img.small { image-rendering: pixelated; }
pre { max-height: 24rem; overflow: auto; border: 1px solid var(--line); padding: 0.6rem; }
"""


class PageError(NeuroprimerError, OSError):
    """A page of differences that cannot be written."""


def page_of(folder: Path, lesson_id: str) -> Path:
    """Return where the page of a lesson is, or would be."""
    return folder / f"{lesson_id}.html"


def with_pages_named(
    reports: Iterable[ValidationReport], folder: Path
) -> tuple[ValidationReport, ...]:
    """Return reports whose findings say which page shows what differs."""
    return tuple(
        replace(
            report,
            findings=tuple(
                replace(one, message=f"{one.message} See {page_of(folder, report.lesson.id)}")
                if one.rule == "NP322"
                else one
                for one in report.findings
            ),
        )
        for report in reports
    )


def write_pages(reports: Iterable[ValidationReport], folder: Path) -> tuple[Path, ...]:
    """Write a page for each lesson with outputs that are not as recorded.

    Parameters
    ----------
    reports : iterable of ValidationReport
        What was found.
    folder : pathlib.Path
        Is made if need be.

    Returns
    -------
    pages : tuple of pathlib.Path
        Those that were written.

    Raises
    ------
    PageError
        If a page cannot be written.
    """
    pages = []
    for report in reports:
        if any(finding.rule == "NP322" for finding in report.findings):
            page = page_of(folder, report.lesson.id)
            try:
                write_whole(page, difference_page(report.result).encode())
            except OSError as error:
                raise PageError(
                    f"Cannot write the page of differences {page}: {error.strerror or error}.",
                    hint="Choose a folder that can be written.",
                ) from error
            pages.append(page)
    return tuple(pages)


def difference_page(result: ExecutionResult) -> str:
    """Return a page, HTML, that shows where a run is not as recorded.

    Parameters
    ----------
    result : ExecutionResult
        A run that reached its end, of a lesson whose records can be read.
    """
    title = escape(f"Golden cells of {result.lesson.id}")
    different = [one for one in compare_run(result) if one.differences]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{title}</h1>\n<p>{len(different)} cell(s) give something else than is recorded. If "
        "that is meant, record what they give now: "
        f"<code>neuroprimer validate {escape(result.lesson.id)} --update-golden</code></p>\n"
        + "\n".join(map(_section, different))
        + "\n</main>\n</body>\n</html>\n"
    )


def _section(comparison: Comparison) -> str:
    mark = comparison.mark
    allowed = mark.tolerance
    words = f"Allowed: rtol {allowed.rtol:g}, atol {allowed.atol:g}, pixels {allowed.pixels:g}."
    words += "" if allowed.is_chosen else " Whole numbers must be equal."
    parts = [
        f"<h3>{escape(one.name)}</h3>\n<p>{escape(one.words)}.</p>\n{_texts(one, mark)}"
        for one in comparison.differences
    ]
    return (
        f"<section>\n<h2>{escape(mark.name)}, code cell {mark.cell}</h2>\n<p>{words}</p>\n"
        + "\n".join([*parts, *_pictures(comparison)])
        + "\n</section>"
    )


def _texts(one: Difference, mark: Mark) -> str:
    """Return two texts beside each other, with what differs marked; nothing for pictures."""
    found = summed_up(one.found, mark) if one.found else None
    expected, text = one.expected.text if one.expected else "", found.text if found else ""
    if not expected + text:
        return ""
    by_line = found is not None and (found.is_summed_up or found.kind == "figure")
    off = find_numbers_off(expected, text, mark.tolerance, by_line=by_line)
    if off is None:
        lines = expected.split("\n"), text.split("\n")
        body = difflib.HtmlDiff().make_table(*lines, "expected", "found")
        body = body.replace("&nbsp;", " ")  # or no line could be broken
    else:
        body = (
            "<table><tr><th>expected</th><th>found</th></tr>\n"
            f"<tr><td>{_marked(expected, [pair.expected for pair in off])}</td>"
            f"<td>{_marked(text, [pair.found for pair in off])}</td></tr></table>"
        )
    if one.found and found and found.is_summed_up:
        body += f"<p>All that was found:</p>\n<pre>{escape(one.found.text)}</pre>"
    return body


def _marked(text: str, numbers: Iterable[Numeral]) -> str:
    pieces, end = [], 0
    for number in numbers:
        pieces += [escape(text[end : number.start]), f"<mark>{escape(number.text)}</mark>"]
        end = number.start + len(number.text)
    return "".join([*pieces, escape(text[end:])])


def _pictures(comparison: Comparison) -> Iterator[str]:
    """Yield each picture of a cell: as recorded, as it is, and where the two differ.

    They are shown even if they are close enough, since they tell at once what the cell is about.
    """
    recorded = [output.picture for output in comparison.expected if output.picture]
    small = [output.picture for output in comparison.given.outputs if output.picture]
    for expected, found, png in zip_longest(recorded, small, comparison.given.pngs):
        shown = [("recorded, in small", expected, "small"), ("found", png, "")]
        if expected and found:
            difference = amplified_difference(expected, found)
            shown.append((f"difference, {AMPLIFIED} times as strong", difference, "small"))
        figures = [
            f'<figure><img class="{look}" alt="{words}" '
            f'src="data:image/png;base64,{escape("".join(content.split()))}">'
            f"<figcaption>{words}</figcaption></figure>"
            for words, content, look in shown
            if content
        ]
        yield f'<div class="pictures">{"".join(figures)}</div>'
