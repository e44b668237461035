"""The pages that a course gets without writing them; one that it has written goes before ours."""

from collections.abc import Mapping

from nbformat import NotebookNode

from neuroprimer.teaching.catalogue import Catalogue
from neuroprimer.teaching.course import FRONT_PAGE, has_page
from neuroprimer.teaching.model import Course
from neuroprimer.teaching.publish.catalogue_pages import (
    DATASETS_PAGE,
    PLUGINS_PAGE,
    datasets_in,
    datasets_page,
    plugins_page,
)
from neuroprimer.teaching.publish.citation_page import CITATION_PAGE, citation_page
from neuroprimer.teaching.publish.exercise_blocks import tasks_of
from neuroprimer.teaching.publish.front_page import Picture, front_page
from neuroprimer.teaching.publish.jupyter_book import site_address
from neuroprimer.teaching.publish.prerequisite_map import MAP_PAGE, has_map, map_page
from neuroprimer.teaching.publish.progress_page import PROGRESS_PAGE, progress_page
from neuroprimer.teaching.publish.runs_page import RUNS_PAGE, SOURCE


def generated_pages(
    course: Course,
    catalogue: Catalogue,
    picture: Picture | None,
    lessons: Mapping[str, NotebookNode],
) -> Mapping[str, str]:
    """Return the source of each page that neuroprimer adds to a site, in the order of the site.

    Parameters
    ----------
    course : Course
        With the lessons that have a page.
    catalogue : Catalogue
        Knows data and plugins.
    picture : Picture or None
        For the front page.
    lessons : mapping of str to nbformat.NotebookNode
        The page of each lesson, by its id.
    """
    citation = course.citation
    tasks = {lesson_id: tasks_of(page) for lesson_id, page in lessons.items()}
    wanted = {
        FRONT_PAGE: True,
        MAP_PAGE: has_map(course),
        PROGRESS_PAGE: any(tasks.values()),
        DATASETS_PAGE: bool(datasets_in(course, catalogue)),
        CITATION_PAGE: citation is not None,
        PLUGINS_PAGE: True,
        RUNS_PAGE: True,
    }
    makers = {
        FRONT_PAGE: lambda: front_page(course, picture),
        MAP_PAGE: lambda: map_page(course),
        PROGRESS_PAGE: lambda: progress_page(course, tasks),
        DATASETS_PAGE: lambda: datasets_page(course, catalogue),
        CITATION_PAGE: lambda: (
            citation_page(course, citation, catalogue, site_address(course)) if citation else ""
        ),
        PLUGINS_PAGE: lambda: plugins_page(course, catalogue),
        RUNS_PAGE: lambda: SOURCE,
    }
    return {name: makers[name]() for name in makers if wanted[name] and not has_page(course, name)}
