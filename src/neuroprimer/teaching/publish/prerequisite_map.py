"""The map of a course: which lesson builds on which, drawn, and told in words."""

import itertools
import textwrap
from collections.abc import Sequence
from html import escape

from neuroprimer.teaching.model import Course, Lesson
from neuroprimer.teaching.publish.map_layout import (
    HEIGHT,
    WIDTH,
    Point,
    Prerequisites,
    lay_out,
)
from neuroprimer.teaching.publish.minutes import duration_words
from neuroprimer.teaching.publish.plain_titles import plain_title

MAP_PAGE = "lesson-map"

LINE = 17  # from one line of text to the next
LETTERS = 17  # in a line of a box

# How many boxes stand side by side on a desk, and on a phone; the style shows one of the two.
WIDE, NARROW = 4, 2


def has_map(course: Course) -> bool:
    """Tell whether there is anything to draw."""
    return any(prerequisites_in(course).values())


def prerequisites_in(course: Course) -> Prerequisites:
    """Return what each lesson of a course builds on, as far as it is a part of the course."""
    ids = {lesson.id for lesson in course.lessons}
    return {
        lesson.id: tuple(one for one in lesson.prerequisites if one in ids and one != lesson.id)
        for lesson in course.lessons
    }


def direct_only(prerequisites: Prerequisites) -> Prerequisites:
    """Return prerequisites without those that come with another one anyway.

    Examples
    --------
    >>> direct_only({"a": (), "b": ("a",), "c": ("a", "b")})["c"]
    ('b',)
    """
    above = {id_: _all_before(id_, prerequisites) for id_ in prerequisites}
    return {
        id_: tuple(
            one
            for one in before
            if not any(one in above[other] for other in before if other != one)
        )
        for id_, before in prerequisites.items()
    }


def map_page(course: Course) -> str:
    """Return the source of the page with the map, which says the same in words.

    Parameters
    ----------
    course : Course
        With the lessons that have a page.
    """
    edges = direct_only(prerequisites_in(course))
    drawings = "\n".join(map_drawing(course, columns=columns) for columns in (WIDE, NARROW))
    lines = [
        f"- {{doc}}`/lessons/{lesson.id}` {_after(edges[lesson.id])}" for lesson in course.lessons
    ]
    return f"""# How the lessons build on each other

An arrow leads from a lesson to those that build on it. Where several arrows arrive, do all of those
lessons first. A box leads to its lesson.

```{{raw}} html
{drawings}
```

## The same in words

{chr(10).join(lines)}
"""


def map_drawing(course: Course, *, columns: int) -> str:
    """Return the map as SVG, whose boxes are links.

    Parameters
    ----------
    course : Course
        What to draw.
    columns : int
        How many boxes may stand side by side.
    """
    size = "wide" if columns == WIDE else "narrow"
    layout = lay_out(direct_only(prerequisites_in(course)), columns=columns)
    arrows = [_arrow(line, tip=f"tip-{size}") for line in layout.lines]
    boxes = [_box(lesson, *layout.boxes[lesson.id]) for lesson in course.lessons]
    inside = "\n".join([*arrows, *boxes])
    return f"""\
<svg class="neuroprimer-map neuroprimer-map-{size}" xmlns="http://www.w3.org/2000/svg" \
viewBox="0 0 {layout.width:g} {layout.height:g}" role="group" aria-labelledby="map-{size}">
<title id="map-{size}">Map of the lessons; the list below says the same in words</title>
<defs><marker id="tip-{size}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" \
orient="auto"><path d="M0 0 L8 4 L0 8 z"/></marker></defs>
{inside}
</svg>"""


def _arrow(line: Sequence[Point], *, tip: str) -> str:
    """Return a line that leaves and arrives upright, and is straight where it passes a row."""
    path = f"M{line[0][0]:g} {line[0][1]:g}"
    for number, ((x, y), (to_x, to_y)) in enumerate(itertools.pairwise(line)):
        bend = (to_y - y) / 2
        passes_a_row = number % 2 == 1
        path += (
            f" L{to_x:g} {to_y:g}"
            if passes_a_row
            else f" C{x:g} {y + bend:g} {to_x:g} {to_y - bend:g} {to_x:g} {to_y:g}"
        )
    return f'<path class="arrow" aria-hidden="true" marker-end="url(#{tip})" d="{path}"/>'


def _box(lesson: Lesson, x: float, y: float) -> str:
    """Return a box with a lesson's title, level and time."""
    title = textwrap.wrap(plain_title(lesson.title), LETTERS, max_lines=2, placeholder="…")
    minutes = lesson.teaching_min + lesson.exercise_min
    facts = ", ".join(filter(None, (lesson.level, duration_words(minutes) if minutes else "")))
    lines = [(line, "title") for line in title] + ([(facts, "facts")] if facts else [])
    first = y + HEIGHT / 2 - (len(lines) - 1) * LINE / 2
    text = "".join(
        f'<text class="{kind}" x="{x + WIDTH / 2:g}" y="{first + number * LINE:g}">'
        f"{escape(line)}</text>"
        for number, (line, kind) in enumerate(lines)
    )
    return (
        f'<a href="lessons/{lesson.id}.html"><rect x="{x:g}" y="{y:g}" width="{WIDTH}" '
        f'height="{HEIGHT}" rx="6"/>{text}</a>'
    )


def _after(before: Sequence[str]) -> str:
    if not before:
        return "needs nothing before it"
    names = [f"{{doc}}`/lessons/{one}`" for one in before]
    return "comes after " + (
        names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    )


def _all_before(id_: str, prerequisites: Prerequisites) -> frozenset[str]:
    seen: set[str] = set()
    todo = list(prerequisites[id_])
    while todo:
        one = todo.pop()
        if one not in seen:
            seen.add(one)
            todo += prerequisites[one]
    return frozenset(seen)
