"""The course: a syllabus read from ``book/course.toml`` and laid over the catalogue."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from neuroprimer.teaching.catalogue import Catalogue, did_you_mean
from neuroprimer.teaching.citations import CITATION_FILE, Citation, CitationError, find_citation
from neuroprimer.teaching.model import Course, Finding, FrontPage, Lesson, Limits, LiteWish, Part
from neuroprimer.teaching.policy import Policy
from neuroprimer.teaching.syllabus import CourseError, read_syllabus

BOOK_FOLDER = "book"
SYLLABUS = "course.toml"
FRONT_PAGE = "intro"
# Of what Jupyter Book makes a page; other files are what pages show or offer.
PAGE_ENDINGS = (".md", ".ipynb", ".rst")
FURTHER_TITLE = "Further lessons"

# What else may lie in a course's folder: what Jupyter Book reads, student notebooks for services
# that open those of a repository, and what says that the folder is a Python package.
CONFIG, STUDENT_NOTEBOOKS, PROJECT = "_config.yml", "notebooks", "pyproject.toml"


def load_course(folder: Path, catalogue: Catalogue) -> Course:
    """Read the syllabus of a course and fill it with the catalogue's lessons.

    Lessons that no part names follow in a part of their own, so that installing a plugin is all
    it takes to add its lesson; ``further = false`` in the syllabus leaves them out.

    Parameters
    ----------
    folder : pathlib.Path
        Holds ``book/course.toml``.
    catalogue : Catalogue
        The lessons there are.

    Returns
    -------
    course : Course
        In order, with findings where syllabus and catalogue do not fit. What is unknown or named
        twice is left out of its parts.

    Raises
    ------
    CourseError
        If there is no syllabus, or it is damaged.
    """
    syllabus = {"part": [], **read_syllabus(folder / BOOK_FOLDER / SYLLABUS)}
    parts = _parts(syllabus["part"], folder, catalogue)
    named = {lesson.id for part in parts for lesson in part.lessons}
    further = [lesson for id_, lesson in catalogue.lessons.items() if id_ not in named]
    if further and syllabus.get("further", True):
        last_lessons = max((i for i, part in enumerate(parts) if part.lessons), default=-1)
        title = syllabus.get("further", FURTHER_TITLE)
        parts.insert(
            last_lessons + 1,
            Part(
                title=title if isinstance(title, str) else FURTHER_TITLE,
                lessons=order_lessons(further),
            ),
        )
    citation, citation_findings = _citation(folder)
    course = Course(
        title=syllabus["title"],
        folder=folder,
        parts=tuple(part for part in parts if part.lessons or part.pages),
        limits=Limits(**syllabus.get("limits", {})),
        policy=Policy(**syllabus.get("exercises", {})),
        front=FrontPage(**syllabus.get("front", {})),
        licence=syllabus.get("licence", citation.licence if citation else ""),
        citation=citation,
        redirects=syllabus.get("redirects", {}),
        lite=LiteWish(**syllabus.get("lite", {})),
    )
    findings = (
        *_syllabus_findings(syllabus["part"], folder, catalogue),
        *_picture_findings(course),
        *citation_findings,
        *lesson_findings(course.lessons, catalogue),
    )
    return replace(course, findings=findings)


def find_course(folder: Path, catalogue: Catalogue) -> Course | None:
    """Return the course in a folder, or None where there is no syllabus."""
    if not (folder / BOOK_FOLDER / SYLLABUS).exists():
        return None
    return load_course(folder, catalogue)


def course_of_all(catalogue: Catalogue) -> Course:
    """Return all lessons there are as a course, where nobody has written a syllabus."""
    lessons = order_lessons(catalogue.lessons.values())
    return Course(
        title="All lessons",
        folder=Path(),
        parts=(Part(title="Lessons", lessons=lessons),) if lessons else (),
        findings=lesson_findings(lessons, catalogue),
    )


def has_page(course: Course, name: str) -> bool:
    """Tell whether a course has written a page itself; it then goes before a generated one.

    Parameters
    ----------
    course : Course
        Its pages lie in ``book/``.
    name : str
        Of the page, without its ending.
    """
    book = course.folder / BOOK_FOLDER
    return any((book / f"{name}{ending}").is_file() for ending in PAGE_ENDINGS)


def require_lessons(course: Course, catalogue: Catalogue) -> None:
    """Raise if a course has no lesson: an empty site helps nobody.

    Raises
    ------
    CourseError
        Saying how many lessons there are, and which plugins are broken.
    """
    if not course.lessons:
        raise CourseError(
            f"The course {course.title!r} has no lesson; plugins bring "
            f"{len(catalogue.lessons)}.{catalogue.broken_plugins()}",
            hint="Install a plugin that brings lessons, or correct the ids in the syllabus.",
        )


def require_sound_course(course: Course) -> None:
    """Raise if anything in the syllabus does not fit.

    Raises
    ------
    CourseError
        Naming every finding.
    """
    if course.findings:
        raise CourseError(
            f"The course {course.title!r} has {len(course.findings)} fault(s).\n"
            + "\n".join(f"  {finding}" for finding in course.findings),
            hint="Mend them, or build with `--no-strict` to go on without.",
        )


def order_lessons(lessons: Iterable[Lesson]) -> tuple[Lesson, ...]:
    """Return lessons by title, each after its prerequisites where that can be."""
    by_id = {lesson.id: lesson for lesson in sorted(lessons, key=lambda lesson: lesson.title)}
    sorter = TopologicalSorter(
        {id_: [p for p in lesson.prerequisites if p in by_id] for id_, lesson in by_id.items()}
    )
    try:
        return tuple(by_id[id_] for id_ in sorter.static_order())
    except CycleError:  # is a finding of its own, with the lessons still in a stable order
        return tuple(by_id.values())


def lesson_findings(lessons: Iterable[Lesson], catalogue: Catalogue) -> tuple[Finding, ...]:
    """Return what does not fit between lessons, in the order in which they are taught."""
    lessons = tuple(lessons)
    position = {lesson.id: place for place, lesson in enumerate(lessons)}
    findings = []
    for lesson in lessons:
        for wanted in lesson.prerequisites:
            if wanted not in catalogue.lessons:
                findings.append(
                    Finding(
                        rule="NP102",
                        subject=lesson.id,
                        message=f"no lesson is called {wanted!r}. {catalogue.suggest(wanted)}",
                    )
                )
            elif position.get(wanted, len(lessons)) > position[lesson.id]:
                where = "comes later in" if wanted in position else "is not in"
                findings.append(
                    Finding(
                        rule="NP104",
                        subject=lesson.id,
                        message=f"its prerequisite {wanted!r} {where} the syllabus.",
                    )
                )
        findings += [
            Finding(
                rule="NP105",
                subject=lesson.id,
                message=f"no dataset is called {wanted!r}. "
                + did_you_mean(wanted, catalogue.datasets),
            )
            for wanted in lesson.datasets
            if wanted not in catalogue.datasets
        ]
    return (*findings, *_cycle_findings(lessons))


def _cycle_findings(lessons: tuple[Lesson, ...]) -> tuple[Finding, ...]:
    sorter = TopologicalSorter({lesson.id: lesson.prerequisites for lesson in lessons})
    try:
        sorter.prepare()
    except CycleError as error:
        circle = error.args[1]
        return (
            Finding(rule="NP103", subject=circle[0], message=f"{' -> '.join(circle)} is a circle."),
        )
    return ()


def _parts(parts: list[dict[str, Any]], folder: Path, catalogue: Catalogue) -> list[Part]:
    """Return the parts with every lesson and page that there is, each once."""
    seen: set[str] = set()

    def first_time(name: str) -> bool:
        is_new = name not in seen
        seen.add(name)
        return is_new

    return [
        Part(
            title=part["title"],
            lessons=tuple(
                catalogue.lessons[id_]
                for id_ in part.get("lessons", ())
                if id_ in catalogue.lessons and first_time(id_)
            ),
            pages=tuple(
                page
                for page in part.get("pages", ())
                if _page_file(folder, page).is_file() and first_time(f"{page}.md")
            ),
        )
        for part in parts
    ]


def _page_file(folder: Path, page: str) -> Path:
    return folder / BOOK_FOLDER / f"{page}.md"


def _syllabus_findings(
    parts: list[dict[str, Any]], folder: Path, catalogue: Catalogue
) -> tuple[Finding, ...]:
    lessons = [id_ for part in parts for id_ in part.get("lessons", ())]
    pages = [page for part in parts for page in part.get("pages", ())]
    unknown = [
        Finding(
            rule="NP101",
            subject=SYLLABUS,
            message=f"no lesson is called {id_!r}. {catalogue.suggest(id_)}",
        )
        for id_ in dict.fromkeys(lessons)
        if id_ not in catalogue.lessons
    ]
    twice = [
        Finding(rule="NP106", subject=SYLLABUS, message=f"{name!r} stands in it {count} times.")
        for name, count in Counter([*lessons, *pages]).items()
        if count > 1
    ]
    missing = [
        Finding(rule="NP107", subject=SYLLABUS, message=f"there is no {BOOK_FOLDER}/{page}.md.")
        for page in pages
        if not _page_file(folder, page).is_file()
    ]
    return (*unknown, *twice, *missing)


def _picture_findings(course: Course) -> tuple[Finding, ...]:
    wanted = course.front.picture
    if not wanted or any(lesson.id == wanted for lesson in course.lessons):
        return ()
    words = f"the front page shows a figure of {wanted!r}, which is no lesson of the course."
    return (Finding(rule="NP108", subject=SYLLABUS, message=words),)


def _citation(folder: Path) -> tuple[Citation | None, tuple[Finding, ...]]:
    try:
        return find_citation(folder), ()
    except CitationError as error:
        return None, (Finding(rule="NP109", subject=CITATION_FILE, message=error.message),)
