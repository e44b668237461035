"""The syllabus: what an author may write into ``book/course.toml``."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from neuroprimer.errors import NeuroprimerError
from neuroprimer.teaching.model import FrontPage, Limits, LiteWish
from neuroprimer.teaching.policy import Policy

# The name of a page: no ending, and no way out of the site.
PAGE_NAME = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)*")


class CourseError(NeuroprimerError, ValueError):
    """A course that cannot be laid out at all."""


def read_syllabus(file: Path) -> Mapping[str, Any]:
    """Read a syllabus, and see to it that every value has the type that the course relies on.

    Parameters
    ----------
    file : pathlib.Path
        A TOML file.

    Returns
    -------
    syllabus : mapping
        As the file has it: ``title``, and where given ``further``, ``limits``, ``exercises``,
        ``front``, ``licence``, ``lite``, ``redirects`` and ``part``.

    Raises
    ------
    CourseError
        If there is no such file, it is no TOML, or a value has another type.
    """
    try:
        syllabus = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CourseError(
            f"There is no course here: {file} does not exist.",
            hint="Go to the folder that holds book/course.toml, or name it with --course.",
        ) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CourseError(
            f"Cannot read the syllabus {file}: {error}.",
            hint='It is a TOML file: title = "...", then [[part]] tables.',
        ) from error
    _require_types(file, syllabus)
    return syllabus


def _require_types(file: Path, syllabus: Mapping[str, Any]) -> None:
    def texts(value: object) -> bool:
        return isinstance(value, list) and all(isinstance(item, str) for item in value)

    known_limits = tuple(field.name for field in fields(Limits))
    limits = syllabus.get("limits", {})
    known_policy = tuple(field.name for field in fields(Policy))
    policy = syllabus.get("exercises", {})
    known_front = {field.name: field.type for field in fields(FrontPage)}
    front = syllabus.get("front", {})
    redirects = syllabus.get("redirects", {})
    known_lite = {field.name: field.type for field in fields(LiteWish)}
    lite = syllabus.get("lite", {})
    parts = syllabus.get("part", [])
    checks = (
        (isinstance(syllabus.get("title"), str), "title should be a text"),
        (
            isinstance(syllabus.get("further", True), str | bool),
            "further should be a text or false",
        ),
        (isinstance(syllabus.get("licence", ""), str), "licence should be a text"),
        (
            isinstance(limits, dict)
            and all(key in known_limits for key in limits)
            and all(isinstance(value, int | float) and value > 0 for value in limits.values()),
            f"limits may have {', '.join(known_limits)}, each a number above 0",
        ),
        (
            isinstance(policy, dict) and set(policy) <= set(known_policy),
            f"exercises may have {', '.join(known_policy)}",
        ),
        (
            isinstance(front, dict)
            and all(type(value) is known_front.get(key) for key, value in front.items())
            and front.get("figure", 1) > 0,
            f"front may have {', '.join(known_front)}; figure is a whole number from 1 on, the "
            "others are texts",
        ),
        (
            isinstance(redirects, dict)
            and all(
                _is_page_name(name) and (to is False or _is_page_name(to))
                for name, to in redirects.items()
            ),
            'redirects are from a page to a page, like "lessons/old" = "lessons/new", or to false',
        ),
        (
            isinstance(lite, dict)
            and all(type(value) is known_lite.get(key) for key, value in lite.items()),
            "lite may have enabled, which is true or false, and pyodide, which is a text",
        ),
        (
            isinstance(parts, list)
            and all(
                isinstance(part, dict) and isinstance(part.get("title"), str) for part in parts
            ),
            "each [[part]] should have a title",
        ),
        (
            isinstance(parts, list)
            and all(
                isinstance(part, dict) and texts(part.get(key, []))
                for part in parts
                for key in ("lessons", "pages")
            ),
            "lessons and pages of a [[part]] should be lists of texts",
        ),
    )
    for right, wanted in checks:
        if not right:
            raise CourseError(
                f"The syllabus {file} is not as it must be: {wanted}.",
                hint="The page 'Make a course' of the book shows one that works.",
            )


def _is_page_name(value: object) -> bool:
    return isinstance(value, str) and PAGE_NAME.fullmatch(value) is not None
