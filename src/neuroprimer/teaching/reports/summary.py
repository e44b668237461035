"""The summary: a build in Markdown, for the page that GitHub shows of a job."""

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from neuroprimer.teaching.model import Finding
from neuroprimer.teaching.reports.figures import Figures
from neuroprimer.teaching.reports.rows import row_of

# Names the file whose content GitHub shows of a step; there is none elsewhere.
JOB_VARIABLE = "GITHUB_STEP_SUMMARY"

HEADINGS = (
    *("lesson", "state", "why", "wall (s)", "against the usual", "CPU (s)", "peak memory (MB)"),
    *("kernel start (s)", "slowest cell", "minutes of those declared", "budget (s)"),
)
NUMBERS = frozenset(
    {"wall (s)", "against the usual", "CPU (s)", "peak memory (MB)", "kernel start (s)"}
)

# GitHub shows nothing at all of a summary of more than a mebibyte.
MOST_FINDINGS = 100
LONGEST_MESSAGE = 1000

MARKUP = re.compile(r"([\\`*_{}\[\]<>|~#&])")
CONTROL = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|[\x00-\x1f\x7f]")


def summary_of(
    title: str,
    figures: Sequence[Figures],
    findings: Iterable[Finding] = (),
    notes: Iterable[str] = (),
    *,
    words: str = "",
) -> str:
    r"""Return a build as Markdown.

    Parameters
    ----------
    title : str
        The outcome in a few words.
    figures : sequence of Figures
        Each becomes a row of a table; the findings of their reports stand beneath.
    findings : iterable of Finding
        What belongs to no lesson's run.
    notes : iterable of str
        What deserves a look and is no failure.
    words : str
        What else came of it; stands above the table.

    Examples
    --------
    >>> broken = Finding(rule="NP407", subject="site", message="no such file: a|b.md")
    >>> print(summary_of("Nothing was published", (), [broken]))
    ## Nothing was published
    <BLANKLINE>
    - **NP407** site: no such file: a\|b.md
      <br>Mend what it names; its own words stand in the message.
    <BLANKLINE>
    """
    found = [*(finding for one in figures for finding in one.report.findings), *findings]
    blocks = [
        f"## {_plain(title)}",
        _plain(words),
        "\n".join(_table(figures)) if figures else "",
        "\n".join(_item(finding) for finding in found[:MOST_FINDINGS]),
        f"And {len(found) - MOST_FINDINGS} more findings." if len(found) > MOST_FINDINGS else "",
        "\n".join(f"- Note: {_plain(note)}" for note in notes),
    ]
    return "\n\n".join(filter(None, blocks)) + "\n"


def add_job_summary(text: str) -> str:
    """Add a summary to what GitHub shows of the job's step, if this runs in one.

    Parameters
    ----------
    text : str
        Markdown.

    Returns
    -------
    problem : str
        Why it could not be added, which is no reason for a build to fail; else empty.
    """
    file = os.environ.get(JOB_VARIABLE)
    if not file:
        return ""
    try:
        with Path(file).open("a", encoding="utf-8") as stream:  # other steps have written to it
            stream.write(text + "\n")
    except OSError as error:
        return f"The summary of the job cannot be written to {file}: {error.strerror or error}."
    return ""


def _table(figures: Iterable[Figures]) -> list[str]:
    rows = [row_of(one) for one in figures]
    lines = [
        _line(HEADINGS),
        _line(["---:" if heading in NUMBERS else "---" for heading in HEADINGS]),
    ]
    for row in rows:
        state = "**failed**" if row.state == "failed" else row.state
        measured = (row.wall_s, row.change, row.cpu_s, row.peak_mb, row.start_s)
        texts = (*measured, row.slowest, row.minutes, row.budget_s)
        lines.append(_line([_plain(row.lesson), state, *map(_plain, (row.reason, *texts))]))
    return lines


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _item(finding: Finding) -> str:
    rule, _, words = str(finding).partition(" ")
    # the fixes are ours, and what they have in backquotes is meant to be code
    return f"- **{rule}** {_plain(words)}\n  <br>{finding.definition.fix}"


def _plain(text: str) -> str:
    """Return a text as one line in which nothing is taken for markup."""
    text = " ".join(CONTROL.sub(" ", text).split())
    if len(text) > LONGEST_MESSAGE:
        text = f"{text[:LONGEST_MESSAGE]} ..."
    return MARKUP.sub(r"\\\1", text)
