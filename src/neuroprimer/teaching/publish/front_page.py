"""The front page of a course that has not written one: what to learn, and how to start."""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from nbformat import NotebookNode

from neuroprimer.errors import NeuroprimerError
from neuroprimer.teaching.model import Course, Lesson, Part
from neuroprimer.teaching.notebooks import tags_of
from neuroprimer.teaching.publish.minutes import time_words
from neuroprimer.teaching.validate import HIDING_TAGS, alt_text, shown_cells

PICTURE = "front-picture"
SUFFIXES = {"image/png": "png", "image/jpeg": "jpg", "image/svg+xml": "svg"}


class PictureError(NeuroprimerError, LookupError):
    """A figure for the front page that its lesson does not have."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A figure that a lesson has made.

    Parameters
    ----------
    lesson : Lesson
        Whose figure it is.
    alt : str
        What it shows, in words.
    name : str
        Of its file.
    content : bytes
        Of its file.
    """

    lesson: Lesson
    alt: str
    name: str
    content: bytes


def find_picture(course: Course, pages: Mapping[str, NotebookNode]) -> Picture | None:
    """Return the figure that a course wants on its front page.

    Parameters
    ----------
    course : Course
        Says which.
    pages : mapping of str to nbformat.NotebookNode
        The notebook of each lesson that has passed.

    Returns
    -------
    picture : Picture or None
        None if the course wants none, or its lesson is not on the site.

    Raises
    ------
    PictureError
        If the lesson has fewer figures.
    """
    front = course.front
    lesson = next((one for one in course.lessons if one.id == front.picture), None)
    if lesson is None or lesson.id not in pages:
        return None
    figures = list(_figures(pages[lesson.id]))
    if len(figures) < front.figure:
        raise PictureError(
            f"{lesson.id} has {len(figures)} figure(s); the front page is to show number "
            f"{front.figure}.",
            hint="Choose another under [front] in course.toml.",
        )
    alt, kind, content = figures[front.figure - 1]
    return Picture(lesson=lesson, alt=alt, name=f"{PICTURE}.{SUFFIXES[kind]}", content=content)


def _figures(notebook: NotebookNode) -> Iterator[tuple[str, str, bytes]]:
    """Yield words, kind and bytes of each figure that a page shows."""
    for _, cell in shown_cells(notebook):
        for output in () if tags_of(cell) & HIDING_TAGS else cell.outputs:
            data = output.get("data", {})
            kind = next((kind for kind in SUFFIXES if kind in data), None)
            if kind == "image/svg+xml":
                yield alt_text(cell), kind, data[kind].encode()
            elif kind:
                yield alt_text(cell), kind, base64.b64decode(data[kind])


def front_page(course: Course, picture: Picture | None) -> str:
    """Return the front page's source.

    Parameters
    ----------
    course : Course
        With the lessons that have a page.
    picture : Picture or None
        Lies beside the page.

    Returns
    -------
    source : str
        Markdown.
    """
    blocks = [
        f"# {course.title}",
        _hero(course),
        *([_shown(picture)] if picture else []),
        "## What you will be able to do",
    ]
    total = time_words(course.lessons)
    if total:
        blocks.append(f"The whole course takes about {total}. Go at your own pace.")
    blocks += [_part(part) for part in course.parts if part.lessons]
    return "\n\n".join(blocks) + "\n"


def _hero(course: Course) -> str:
    """Return what stands at the top: what it is, how to start, and where."""
    blocks = [course.front.lead.strip()] if course.front.lead else []
    first = course.lessons[0]
    blocks.append(
        f"```{{button-ref}} /lessons/{first.id}\n:ref-type: doc\n:color: primary\n"
        ":class: neuroprimer-begin\n\nBegin with the first lesson\n```"
    )
    if course.front.start:
        blocks.append(
            "Or run the lessons yourself, and try the exercises:\n\n"
            f"```console\n$ {course.front.start.strip()}\n```"
        )
    return "::::::{container} neuroprimer-hero\n\n" + "\n\n".join(blocks) + "\n::::::"


def _shown(picture: Picture) -> str:
    alt = json.dumps(" ".join(picture.alt.split()), ensure_ascii=False)  # options are YAML
    return (
        f"```{{figure}} {picture.name}\n:alt: {alt}\n:class: neuroprimer-front-picture\n\n"
        f"A figure of the lesson {{doc}}`/lessons/{picture.lesson.id}`, made by its code.\n```"
    )


def _part(part: Part) -> str:
    lines = [f"### {part.title}"]
    total = time_words(part.lessons)
    if total:
        lines.append(f"*{total}*")
    cards = "\n\n".join(_card(lesson) for lesson in part.lessons)
    lines.append(f":::::{{grid}} 1 1 2 2\n:gutter: 3\n\n{cards}\n:::::")
    return "\n\n".join(lines)


def _card(lesson: Lesson) -> str:
    facts = ", ".join(filter(None, (lesson.level, time_words([lesson]))))
    blocks = [
        f":::{{container}} neuroprimer-lesson-title\n{{doc}}`/lessons/{lesson.id}`\n:::",
        lesson.description,
        "\n".join(f"- {one}" for one in lesson.objectives),
        f":::{{container}} neuroprimer-lesson-facts\n{facts}\n:::" if facts else "",
    ]
    inside = "\n\n".join(filter(None, blocks))
    return f"::::{{grid-item-card}}\n:class-card: neuroprimer-lesson-card\n\n{inside}\n::::"
