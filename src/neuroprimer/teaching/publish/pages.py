"""Pages: what a lesson's page says besides the lesson itself."""

from collections.abc import Iterable

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from neuroprimer.teaching.catalogue import Catalogue
from neuroprimer.teaching.lesson_files import HEADING
from neuroprimer.teaching.model import Course, Dataset, Lesson, ValidationReport
from neuroprimer.teaching.publish.catalogue_pages import dataset_mention, kind_of, plugin_words
from neuroprimer.teaching.publish.exercise_blocks import place_blocks
from neuroprimer.teaching.publish.launch import launch_links
from neuroprimer.teaching.publish.lite import lite_link
from neuroprimer.teaching.publish.minutes import time_words
from neuroprimer.teaching.publish.solutions import place_solutions
from neuroprimer.teaching.publish.take_along import take_along_words
from neuroprimer.teaching.publish.versions import versions_of


def lesson_page(
    report: ValidationReport, course: Course, catalogue: Catalogue, *, has_lite: bool = False
) -> NotebookNode:
    """Return the notebook that becomes a lesson's page.

    Parameters
    ----------
    report : ValidationReport
        A run that has passed.
    course : Course
        Tells which other lessons have pages to link to.
    catalogue : Catalogue
        Knows the datasets and which plugin brought the lesson.
    has_lite : bool
        Whether the site has JupyterLite to lead to.

    Returns
    -------
    page : nbformat.NotebookNode
        The run with a card below its title, hints below exercises, and key points and credits at
        its foot.
    """
    assert report.result.notebook is not None  # noqa: S101  for mypy: it has passed
    proofs = report.result.proofs if course.policy.hints else ()
    page = place_blocks(
        place_solutions(report.result.notebook, course.policy),
        report.lesson.id,
        {proof.exercise_id: proof.hints for proof in proofs},
    )
    card = _card(report, course, catalogue, has_lite=has_lite)
    page.cells = _below_title(page.cells, [_prose("card", card)])
    if report.lesson.key_points:
        page.cells.append(
            _prose("key-points", "## Key points\n\n" + _list(report.lesson.key_points))
        )
    page.cells.append(_prose("credits", _credits(report.lesson, catalogue)))
    return page


def _below_title(cells: list[NotebookNode], card: list[NotebookNode]) -> list[NotebookNode]:
    """Return cells with a card below the title; above everything where there is no title."""
    for place, cell in enumerate(cells):
        if cell.cell_type != "markdown":
            break
        title = HEADING.search(cell.source)
        if title:
            above, below = cell.source[: title.end()], cell.source[title.end() :].strip()
            rest = [_prose("opening", below)] if below else []
            return [*cells[:place], _prose("title", above), *card, *rest, *cells[place + 1 :]]
    return [*card, *cells]


def _prose(cell_id: str, text: str) -> NotebookNode:
    cell: NotebookNode = new_markdown_cell(text, id=cell_id)
    return cell


def _card(report: ValidationReport, course: Course, catalogue: Catalogue, *, has_lite: bool) -> str:
    """Return what there is to know before one begins."""
    lesson, versions = report.lesson, versions_of(report.result)
    paragraphs = []
    if lesson.questions:
        paragraphs.append("**Questions**\n\n" + _list(lesson.questions))
    if lesson.objectives:
        paragraphs.append("**Afterwards you can**\n\n" + _list(lesson.objectives))
    facts = (
        ("Time", time_words([lesson])),
        ("Level", lesson.level),
        ("Before", _prerequisites(lesson, course)),
        *(("Data", _data(dataset, course)) for dataset in _datasets(lesson, catalogue)),
        ("Last executed with", ", ".join(f"{name} {one}" for name, one in versions.items())),
        ("Take it with you", take_along_words(lesson.id)),
        ("Work on it", _launch_words(report, course, catalogue, has_lite=has_lite)),
    )
    listed = _list(f"**{name}:** {words}" for name, words in facts if words)
    paragraphs.append(f":::{{container}} neuroprimer-facts\n{listed}\n:::")
    return (
        "::::{admonition} At a glance\n:class: tip neuroprimer-card\n\n"
        + "\n\n".join(paragraphs)
        + "\n::::"
    )


def _prerequisites(lesson: Lesson, course: Course) -> str:
    titles = {other.id: other.title for other in course.lessons}
    links = [
        f"[{titles[id_]}]({id_}.ipynb)" if id_ in titles else id_ for id_ in lesson.prerequisites
    ]
    return ", ".join(links)


def _launch_words(
    report: ValidationReport, course: Course, catalogue: Catalogue, *, has_lite: bool
) -> str:
    """Return where one can work on a lesson, each place with its link or its command."""
    lesson, source = report.lesson, report.result.source
    links = launch_links(lesson, source, course, catalogue) if source is not None else {}
    places = [f"`neuroprimer open {lesson.id}` (JupyterLab)"]
    places += [f"[{name}]({link})" for name, link in links.items()]
    if has_lite:
        places.append(f'<a href="{lite_link(lesson.id)}">in this browser</a>')
    return ", ".join(places)


def _datasets(lesson: Lesson, catalogue: Catalogue) -> list[Dataset]:
    return [catalogue.datasets[id_] for id_ in lesson.datasets if id_ in catalogue.datasets]


def _data(dataset: Dataset, course: Course) -> str:
    return f"{dataset_mention(dataset, course)} ({kind_of(dataset)})"


def _credits(lesson: Lesson, catalogue: Catalogue) -> str:
    """Return who made the lesson and its data, and under which terms."""
    plugin = plugin_words(catalogue.brought_by.get(lesson.id, ""), catalogue)
    written = f"Written by {', '.join(lesson.authors)}. " if lesson.authors else ""
    sources = [
        f"**{dataset.title}.** {dataset.description} {dataset.citation} Licence: {dataset.licence}."
        for dataset in _datasets(lesson, catalogue)
    ]
    return "\n\n".join(
        ["## Credits", f"{written}Brought by the plugin {plugin}.", *filter(None, [_list(sources)])]
    )


def _list(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items)
