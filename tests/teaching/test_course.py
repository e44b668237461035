"""The course: a syllabus laid over what plugins bring."""

from pathlib import Path

import pytest

from neuroprimer.teaching import Lesson, Part, hookimpl, load_course
from neuroprimer.teaching.catalogue import Catalogue
from neuroprimer.teaching.course import (
    course_of_all,
    has_page,
    order_lessons,
    require_lessons,
    require_sound_course,
)
from neuroprimer.teaching.plugins import add_plugin, make_manager
from neuroprimer.teaching.syllabus import CourseError


def lesson(lesson_id: str, *prerequisites: str, datasets: tuple[str, ...] = ()) -> Lesson:
    return Lesson(
        id=lesson_id,
        title=lesson_id.upper(),
        path=Path(f"{lesson_id}.md"),
        prerequisites=prerequisites,
        datasets=datasets,
    )


def catalogue_of(*lessons: Lesson) -> Catalogue:
    class Brings:
        @hookimpl
        def register_lessons(self):
            return list(lessons)

    manager = make_manager()
    add_plugin(manager, Brings(), "brings")
    return Catalogue.from_plugins(manager)


@pytest.fixture
def syllabus(course_folder):
    """Write a syllabus and return the course's folder."""

    def write(text: str) -> Path:
        (course_folder / "book" / "course.toml").write_text(f'title = "A course"\n{text}')
        return course_folder

    return write


def ids(course) -> list[list[str]]:
    return [[lesson.id for lesson in part.lessons] for part in course.parts]


def found(course) -> list[tuple[str, str]]:
    return [(finding.rule, finding.subject) for finding in course.findings]


def test_lessons_stand_in_the_order_of_the_syllabus(syllabus):
    folder = syllabus('[[part]]\ntitle = "P"\nlessons = ["b", "a"]')

    course = load_course(folder, catalogue_of(lesson("a"), lesson("b")))

    assert ids(course) == [["b", "a"]]
    assert course.findings == ()


def test_lessons_that_no_part_names_follow_before_the_pages(syllabus):
    folder = syllabus(
        '[[part]]\ntitle = "P"\nlessons = ["a"]\n[[part]]\ntitle = "R"\npages = ["intro"]'
    )

    course = load_course(folder, catalogue_of(lesson("c", "b"), lesson("b"), lesson("a")))

    assert [part.title for part in course.parts] == ["P", "Further lessons", "R"]
    assert ids(course) == [["a"], ["b", "c"], []]


def test_further_lessons_can_be_named_or_left_out(syllabus):
    catalogue = catalogue_of(lesson("a"), lesson("b"))
    part = '[[part]]\ntitle = "P"\nlessons = ["a"]'

    named = load_course(syllabus(f'further = "More"\n{part}'), catalogue)
    without = load_course(syllabus(f"further = false\n{part}"), catalogue)

    assert [part.title for part in named.parts] == ["P", "More"]
    assert ids(without) == [["a"]]


def test_unknown_lesson_of_the_syllabus_is_a_finding_with_the_near_name(syllabus):
    folder = syllabus('[[part]]\ntitle = "P"\nlessons = ["affine", "gone"]')

    course = load_course(folder, catalogue_of(lesson("affines"), lesson("other")))

    assert found(course) == [("NP101", "course.toml"), ("NP101", "course.toml")]
    assert "Did you mean 'affines'?" in course.findings[0].message
    assert "There are: affines, other." in course.findings[1].message


def test_unknown_prerequisite_and_dataset_are_findings(syllabus):
    catalogue = catalogue_of(lesson("a", "bb", datasets=("brain",)), lesson("b"))

    course = load_course(syllabus(""), catalogue)

    assert found(course) == [("NP102", "a"), ("NP105", "a")]
    assert ids(course) == [["a", "b"]]


def test_circle_of_prerequisites_is_a_finding_that_shows_it(syllabus):
    catalogue = catalogue_of(lesson("a", "b"), lesson("b", "c"), lesson("c", "a"), lesson("d"))

    course = load_course(syllabus(""), catalogue)

    (circle,) = [finding for finding in course.findings if finding.rule == "NP103"]
    assert {"a", "b", "c"} < set(circle.message.replace("->", " ").split())
    assert len(course.lessons) == 4


def test_lesson_before_its_prerequisite_is_a_finding(syllabus):
    folder = syllabus('[[part]]\ntitle = "P"\nlessons = ["a", "b"]')

    course = load_course(folder, catalogue_of(lesson("a", "b"), lesson("b")))

    assert found(course) == [("NP104", "a")]


def test_lesson_without_its_prerequisite_is_a_finding(syllabus):
    folder = syllabus('further = false\n[[part]]\ntitle = "P"\nlessons = ["a"]')

    course = load_course(folder, catalogue_of(lesson("a", "b"), lesson("b")))

    assert found(course) == [("NP104", "a")]
    assert "is not in the syllabus" in course.findings[0].message


def test_lesson_or_page_named_twice_is_a_finding_and_stands_once(syllabus):
    folder = syllabus(
        '[[part]]\ntitle = "P"\nlessons = ["a", "a"]\n'
        '[[part]]\ntitle = "Q"\npages = ["intro", "intro"]'
    )

    course = load_course(folder, catalogue_of(lesson("a")))

    assert found(course) == [("NP106", "course.toml")] * 2
    assert ids(course) == [["a"], []]
    assert course.parts[1].pages == ("intro",)


def test_picture_of_a_lesson_that_is_not_in_the_course_is_a_finding(syllabus):
    folder = syllabus('[front]\npicture = "b"\n[[part]]\ntitle = "P"\nlessons = ["a"]')

    assert found(load_course(folder, catalogue_of(lesson("a")))) == [("NP108", "course.toml")]


def test_course_needs_no_front_page_of_its_own(syllabus):
    folder = syllabus("")
    (folder / "book" / "intro.md").unlink()

    assert load_course(folder, catalogue_of(lesson("a"))).findings == ()


def test_only_a_page_stands_for_a_generated_one(syllabus):
    course = load_course(syllabus(""), catalogue_of(lesson("a")))
    (course.folder / "book" / "intro.md").unlink()
    book = course.folder / "book"
    (book / "datasets.csv").write_text("one,two\n")
    (book / "intro.png").touch()
    (book / "citation.ipynb").touch()

    written = [name for name in ("datasets", "intro", "citation") if has_page(course, name)]
    assert written == ["citation"]


def test_missing_page_is_a_finding(syllabus):
    folder = syllabus('[[part]]\ntitle = "P"\npages = ["gone"]')

    course = load_course(folder, catalogue_of(lesson("a")))

    assert found(course) == [("NP107", "course.toml")]
    assert "book/gone.md" in course.findings[0].message
    assert course.parts == (Part(title="Further lessons", lessons=course.lessons),)


def test_unsound_course_is_refused_with_all_findings(syllabus):
    course = load_course(syllabus(""), catalogue_of(lesson("a", "b", datasets=("brain",))))

    with pytest.raises(CourseError, match=r"2 fault\(s\)[^$]*NP102[^$]*NP105"):
        require_sound_course(course)


def test_limits_come_from_the_syllabus(syllabus):
    course = load_course(syllabus("[limits]\ncell_timeout_s = 3"), catalogue_of(lesson("a")))

    assert (course.limits.cell_timeout_s, course.limits.start_timeout_s) == (3, 60)


def test_course_without_lessons_is_refused(syllabus):
    course = load_course(syllabus(""), catalogue_of())

    with pytest.raises(CourseError, match="has no lesson; plugins bring 0"):
        require_lessons(course, catalogue_of())


AUTHOR = "authors: [{name: A group}]\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("title: [", "cannot be read as YAML"),
        ("- title", "'name: value' pairs"),
        (AUTHOR, "its title should be a text"),
        ("title: T\n", "names no authors"),
        ("title: T\nauthors: [A group]\n", "an author should have a name"),
        ("title: T\nauthors: [{email: a@example.org}]\n", "neither 'name' nor 'family-names'"),
        (f"title: T\nversion: [1]\n{AUTHOR}", "its version should be a text"),
    ],
)
def test_citation_file_from_which_nobody_can_cite_is_a_finding(syllabus, text, words):
    folder = syllabus("")
    (folder / "CITATION.cff").write_text(text)

    course = load_course(folder, catalogue_of(lesson("a")))

    assert found(course) == [("NP109", "CITATION.cff")]
    assert words in course.findings[0].message
    assert course.citation is None


def test_licence_is_that_of_the_syllabus_or_else_of_the_citation_file(syllabus):
    (syllabus("") / "CITATION.cff").write_text(f"title: T\nlicense: MIT\n{AUTHOR}")

    assert load_course(syllabus(""), catalogue_of()).licence == "MIT"
    assert load_course(syllabus("licence = 'Ask us.'"), catalogue_of()).licence == "Ask us."


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("title = 5", "title should be a text"),
        ("title = 'x'\npart = 5", "should have a title"),
        ("title = 'x'\n[[part]]\nlessons = []", "should have a title"),
        ("title = 'x'\n[[part]]\ntitle = 'P'\nlessons = 'a'", "lists of texts"),
        ("title = 'x'\n[[part]]\ntitle = 'P'\npages = [5]", "lists of texts"),
        ("title = 'x'\nfurther = 5", "further should be"),
        ("title = 'x'\n[limits]\ncell_timout_s = 5", "limits may have"),
        ("title = 'x'\n[limits]\ncell_timeout_s = 0", "above 0"),
        ("title = 'x'\n[front]\nled = 'y'", "front may have lead, start"),
        ("title = 'x'\n[front]\nfigure = '1'", "figure is a whole number"),
        ("title = 'x'\n[front]\nfigure = 0", "figure is a whole number"),
        ("title = 'x'\nlicence = 5", "licence should be a text"),
        ("title = 'x'\n[redirects]\n'old' = true", "redirects are from a page to a page"),
        ("title = 'x'\n[redirects]\n'../old' = 'new'", "redirects are from a page to a page"),
        ("title = 'x'\n[redirects]\n'old' = '/new'", "redirects are from a page to a page"),
        ("title = ", "Cannot read the syllabus"),
    ],
)
def test_damaged_syllabus_is_refused_in_words(course_folder, text, words):
    (course_folder / "book" / "course.toml").write_text(text)

    with pytest.raises(CourseError, match=words):
        load_course(course_folder, catalogue_of(lesson("a")))


def test_folder_without_a_syllabus_is_no_course(tmp_path):
    with pytest.raises(CourseError, match="There is no course here"):
        load_course(tmp_path, catalogue_of(lesson("a")))


def test_prerequisites_come_first_and_titles_decide_the_rest():
    lessons = lesson("c"), lesson("a", "z"), lesson("z"), lesson("b")

    ordered = [lesson.id for lesson in order_lessons(lessons)]

    assert ordered.index("z") < ordered.index("a")
    assert ordered == [lesson.id for lesson in order_lessons(reversed(lessons))]


def test_without_a_syllabus_all_lessons_are_the_course():
    course = course_of_all(catalogue_of(lesson("b", "a"), lesson("a"), lesson("c", "gone")))

    assert sorted(*ids(course)) == ["a", "b", "c"]
    assert found(course) == [("NP102", "c")]
