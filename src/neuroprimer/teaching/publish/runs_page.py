"""The page "How the lessons ran": the one page of a site that says what was measured.

The book tool makes it with an empty place, like any other page; the figures are put in there
afterwards. So everything else on the site is made without them, and is the same in every build.
"""

import os
import platform
import re
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from neuroprimer.teaching.publish.jupyter_book import LESSONS_FOLDER
from neuroprimer.teaching.reports.figures import MOST_CELLS, Figures
from neuroprimer.teaching.reports.rows import proof_row_of, row_of

RUNS_PAGE = "runs"
PLACE = '<div id="figures-of-the-runs"></div><!-- here the figures end -->'
# A draft's page is filled in again after each run.
EMPTY_OR_FILLED = re.compile(PLACE.replace("></", ">.*</"), re.DOTALL)
TEMPLATE = Path(__file__).with_name("runs_page.html.jinja")

SOURCE = f"""# How the lessons ran

Every lesson of this site was executed before it was published, and each output on its page is of
that run. This page tells what the runs took on the machine that built the site.

```{{raw}} html
{PLACE}
```

*Wall* is the time from start to end, *CPU* the time on all processors, *peak* the most memory that
the lesson held, *start* the time until its kernel answered. *Against the usual* compares with the
median of earlier runs. *Minutes* are those of the run, of the minutes that the lesson declares for
reading and exercises. Nothing that a *cached* lesson depends on has changed, so it did not run
again; its figures are those of the run that its page shows.
"""


def fill_runs_page(html: Path, figures: Sequence[Figures], published: Collection[str]) -> None:
    """Put figures into the page that the book tool has made, in the place of those before.

    Parameters
    ----------
    html : pathlib.Path
        The folder with the finished pages.
    figures : sequence of Figures
        Of each lesson, in course order.
    published : collection of str
        Ids of the lessons that have a page to link to.
    """
    file = html / f"{RUNS_PAGE}.html"
    if not file.is_file():  # a course may have a page of its own instead, and not show it
        return
    page = file.read_text(encoding="utf-8")
    markup = runs_markup(figures, published)
    file.write_text(EMPTY_OR_FILLED.sub(lambda _: markup, page), encoding="utf-8")


def runs_markup(figures: Sequence[Figures], published: Collection[str]) -> str:
    """Return the part of the page that was measured, as HTML.

    Parameters
    ----------
    figures, published
        As for `fill_runs_page`.
    """
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        rows=[(one, row_of(one, cells=MOST_CELLS)) for one in figures],
        proofs=[
            proof_row_of(one.lesson.id, proof) for one in figures for proof in one.result.proofs
        ],
        published=frozenset(published),
        lessons_folder=LESSONS_FOLDER,
        has_budget=any(one.budget_s for one in figures),
        total_s=sum(one.result.duration_s for one in figures),
        notes=[note for one in figures for note in one.notes],
        when=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        tools=f"neuroprimer {version('neuroprimer')}, Python {platform.python_version()}",
        machine=f"{platform.system()}, {os.cpu_count()} processors",
    )
