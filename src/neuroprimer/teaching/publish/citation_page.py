"""The page that tells how to cite a course and its lessons."""

import re
from dataclasses import replace

from neuroprimer.teaching.catalogue import Catalogue
from neuroprimer.teaching.citations import Citation, find_author
from neuroprimer.teaching.model import Course, Lesson
from neuroprimer.teaching.publish.catalogue_pages import plugin_words
from neuroprimer.teaching.publish.jupyter_book import LESSONS_FOLDER
from neuroprimer.teaching.publish.plain_titles import plain_title

CITATION_PAGE = "citation"


def citation_page(
    course: Course, citation: Citation, catalogue: Catalogue, site_address: str
) -> str:
    """Return the source of the page.

    Parameters
    ----------
    course : Course
        With the lessons that have a page.
    citation : Citation
        Of the course.
    catalogue : Catalogue
        Knows which plugin has brought a lesson.
    site_address : str
        Where the site will be; empty where nobody knows.
    """
    key = _key(citation.title)
    lessons = [
        f"### {{doc}}`/{LESSONS_FOLDER}/{lesson.id}`\n\n"
        + _cited(
            _lesson_citation(lesson, course, citation, catalogue, site_address),
            f"{key}-{lesson.id}",
        )
        for lesson in course.lessons
    ]
    terms = f"Its licence is `{course.licence}`.\n\n" if course.licence else ""
    return (
        "# How to cite\n\n"
        "Whoever builds on this course helps others to find it by citing it. Each block can be "
        "copied; the second of two is for BibTeX. Data have terms and citations of their own, at "
        "the foot of each lesson that reads any.\n\n"
        f"## The course\n\n{terms}{_cited(citation, key)}\n\n"
        "## Its lessons\n\n" + "\n\n".join(lessons) + "\n"
    )


def _cited(citation: Citation, key: str) -> str:
    # code blocks need no escaping, and have a button that copies them
    return f"```text\n{citation.sentence}\n```\n\n```bibtex\n{citation.as_bibtex(key)}\n```"


def _lesson_citation(
    lesson: Lesson, course: Course, citation: Citation, catalogue: Catalogue, site_address: str
) -> Citation:
    """Return the citation of a lesson; its version is that of the plugin that has brought it."""
    authors = tuple(find_author(name, citation.authors) for name in lesson.authors)
    words = plugin_words(catalogue.brought_by.get(lesson.id, ""), catalogue)
    page = f"{LESSONS_FOLDER}/{lesson.id}.html"
    return replace(
        citation,
        title=plain_title(lesson.title),
        authors=authors or citation.authors,
        version=words.partition(" ")[2] or citation.version,
        doi="",
        url=f"{site_address.rstrip('/')}/{page}" if site_address else citation.url,
        within=course.title,
    )


def _key(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "course"
