"""Structured data: what search engines and catalogues are told of a course, in schema.org's words.

Every ``url`` in it is the name of a page; whoever writes the page knows its address.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from neuroprimer.teaching.citations import Author, find_author
from neuroprimer.teaching.course import FRONT_PAGE
from neuroprimer.teaching.model import Course, Lesson
from neuroprimer.teaching.publish.front_page import Picture
from neuroprimer.teaching.publish.jupyter_book import LESSONS_FOLDER
from neuroprimer.teaching.publish.page_heads import HEADS
from neuroprimer.teaching.publish.plain_titles import plain_title

Data = Mapping[str, Any]

VOCABULARY = "https://schema.org"
SPDX_IDENTIFIER = re.compile(r"[A-Za-z0-9][\w.+-]*")


def course_data(course: Course) -> Mapping[str, Data]:
    """Return the data of each page that has some, by its name.

    Parameters
    ----------
    course : Course
        With the lessons that have a page.
    """
    lessons = {
        f"{LESSONS_FOLDER}/{lesson.id}": _lesson_data(lesson, course) for lesson in course.lessons
    }
    return {FRONT_PAGE: _front_data(course), **lessons}


def page_data(course: Course, picture: Picture | None) -> Mapping[str, Data]:
    """Return what the writer of the page heads is told.

    Parameters
    ----------
    course : Course
        With the lessons that have a page.
    picture : Picture or None
        Stands for pages that have none.
    """
    shown = [picture.name, picture.alt] if picture else []
    return {HEADS: {"data": course_data(course), "picture": shown}}


def licence_data(licence: str) -> str | Data | None:
    """Return a licence as an address where there is one.

    Examples
    --------
    >>> licence_data("CC-BY-4.0")
    'https://spdx.org/licenses/CC-BY-4.0.html'
    >>> licence_data("Ask us.")
    {'@type': 'CreativeWork', 'name': 'Ask us.'}
    """
    if not licence or licence.startswith(("https://", "http://")):
        return licence or None
    if SPDX_IDENTIFIER.fullmatch(licence):
        return f"https://spdx.org/licenses/{licence}.html"
    return {"@type": "CreativeWork", "name": licence}


def _lesson_data(lesson: Lesson, course: Course) -> Data:
    titles = {other.id: plain_title(other.title) for other in course.lessons}
    known = course.citation.authors if course.citation else ()
    return _filled(
        {
            "@context": VOCABULARY,
            "@type": "LearningResource",
            "name": plain_title(lesson.title),
            "description": plain_title(lesson.description),
            "learningResourceType": "lesson",
            "teaches": [plain_title(one) for one in lesson.objectives],
            "timeRequired": _duration([lesson]),
            "competencyRequired": [titles.get(id_, id_) for id_ in lesson.prerequisites],
            "educationalLevel": lesson.level,
            "license": licence_data(course.licence),
            "author": [_author_data(find_author(name, known)) for name in lesson.authors],
            "url": f"{LESSONS_FOLDER}/{lesson.id}",
            "isPartOf": {"@type": "Course", "name": course.title, "url": FRONT_PAGE},
        }
    )


def _front_data(course: Course) -> Data:
    citation = course.citation
    opening = course.front.lead.strip().partition("\n\n")[0]
    return _filled(
        {
            "@context": VOCABULARY,
            "@type": "Course",
            "name": course.title,
            "description": plain_title(" ".join(opening.split())),
            "timeRequired": _duration(course.lessons),
            "license": licence_data(course.licence),
            "author": [_author_data(one) for one in citation.authors] if citation else [],
            "version": citation.version if citation else "",
            "sameAs": citation.address if citation else "",
            "url": FRONT_PAGE,
            "hasPart": [
                {
                    "@type": "LearningResource",
                    "name": plain_title(lesson.title),
                    "url": f"{LESSONS_FOLDER}/{lesson.id}",
                }
                for lesson in course.lessons
            ],
        }
    )


def _author_data(author: Author) -> Data:
    return {"@type": "Organization" if author.is_group else "Person", "name": author.name}


def _duration(lessons: Iterable[Lesson]) -> str:
    """Return the minutes that lessons declare, as ISO 8601 writes them."""
    minutes = sum(lesson.teaching_min + lesson.exercise_min for lesson in lessons)
    return f"PT{minutes}M" if minutes else ""


def _filled(data: Data) -> Data:
    """Return data without what nothing is known of."""
    return {name: value for name, value in data.items() if value}
