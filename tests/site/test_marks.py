"""Marks: hints on a lesson's page, what a reader has done, and files for the command line."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from neuroprimer.teaching import Course, build_course, load_catalogue, load_course
from neuroprimer.teaching.build import BuildReport
from neuroprimer.teaching.catalogue import Catalogue
from neuroprimer.teaching.policy import Policy
from neuroprimer.teaching.progress.store import ATTEMPT, HINT, Event, Progress
from neuroprimer.teaching.publish import export_course, lesson_page, publish_course
from neuroprimer.teaching.publish.exercise_blocks import tasks_of

pytestmark = pytest.mark.site

COUNT = """---
neuroprimer:
  id: count
  exercises: exercises.py
---

# Counting *stones*

```{code-cell} ipython3
import neuroprimer
lesson = neuroprimer.lesson("count")
```

```{code-cell} ipython3
### BEGIN SOLUTION
stones = 1234567
### END SOLUTION
lesson.check("stones", stones)
```

```{code-cell} ipython3
### BEGIN SOLUTION
pebbles = 7654321
### END SOLUTION
lesson.check("pebbles", pebbles)
```

```{code-cell} ipython3
lesson.quiz("colour")
```
"""

MEASURE = """---
neuroprimer:
  id: measure
  exercises: measures.py
---

# Measuring

```{code-cell} ipython3
import neuroprimer
lesson = neuroprimer.lesson("measure")
### BEGIN SOLUTION
width_mm = 31415926
### END SOLUTION
lesson.check("width", width_mm)
```
"""

READ = """---
neuroprimer:
  id: read
---

# Reading

```{code-cell} ipython3
1 + 1
```
"""

CHECK = """
from neuroprimer.teaching import Choice, Exercise, Incorrect, Quiz, WrongAnswer

def exercise(id, right, hints):
    def check(answer, data):
        if answer != right:
            raise Incorrect("Far too few." if answer == 1111111 else "Not that many.")
    name = {"stones": "stones", "pebbles": "pebbles", "width": "width_mm"}[id]
    return Exercise(id=id, prompt="How many?", check=check, hints=hints, wrong_answers=(
        WrongAnswer(code=f"{name} = 1111111", message="Far too few"),
        WrongAnswer(code=f"{name} = 2222222", message="Not that many"),
    ))
"""
EXERCISES = f"""{CHECK}
EXERCISES = [
    exercise("stones", 1234567, (
        "Begin at the left.", "Is 2 < 3 & $x$?\\n\\nLook *again*.", "Use both hands."
    )),
    exercise("pebbles", 7654321, ()),
]
QUIZZES = [Quiz(id="colour", question="Which colour?", choices=(
    Choice("grey", is_correct=True), Choice("pink", feedback="Stones are not pink here."),
))]
"""
MEASURES = f"""{CHECK}
EXERCISES = [exercise("width", 31415926, ("Take a ruler.",))]
"""


PLUGIN = """
from pathlib import Path
from neuroprimer.teaching import hookimpl, load_lesson

@hookimpl
def register_lessons():
    return [load_lesson(file) for file in sorted(Path(__file__).parent.glob("*.md"))]
"""
FILES = {
    "plugins/brings.py": PLUGIN,
    "plugins/count.md": COUNT,
    "plugins/exercises.py": EXERCISES,
    "plugins/measure.md": MEASURE,
    "plugins/measures.py": MEASURES,
    "plugins/read.md": READ,
    "course/book/course.toml": 'title = "A course with exercises"\n',
}


@dataclass(frozen=True, kw_only=True)
class Marked:
    catalogue: Catalogue
    course: Course
    report: BuildReport
    output: Path


def write_files(folder):
    """Write a course with exercises, whose notebooks find its lessons as its build does."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


@pytest.fixture(scope="session")  # built before the browser comes, see there
def marked(our_plugins, tmp_path_factory):
    folder = tmp_path_factory.mktemp("marks")
    write_files(folder)
    catalogue = load_catalogue(plugins_dir=folder / "plugins", blocked=our_plugins)
    course = load_course(folder / "course", catalogue)
    report = build_course(course, catalogue, output=folder / "output")
    assert report.passed, [one.findings for one in report.reports]
    return Marked(catalogue=catalogue, course=course, report=report, output=folder / "output")


@pytest.fixture(scope="module")
def site(marked):
    return marked.output / "site"


@pytest.fixture(scope="module")
def base(site, inspection):
    with inspection.serve(site) as address:
        yield address


@pytest.fixture
def lesson(open_page, base):
    return open_page(base + "lessons/count.html")


STONES = "[data-exercise='count:stones']"
PEBBLES = "[data-exercise='count:pebbles']"
COUNTED = ".neuroprimer-facts .neuroprimer-done"
SAID = ".neuroprimer-said"
KEY = "neuroprimer:count:stones"


def mark(page, block=STONES):
    page.check(f"{block} input")


def answer_quiz(page, choice="a"):
    page.click(f".neuroprimer-quiz [value={choice}]")
    page.click(".neuroprimer-quiz button")


def go_to_progress(page):
    page.click(".neuroprimer-facts >> text=Your progress")
    page.wait_for_url("**/my-progress.html")


def counts(page):
    """Return the page about the progress as what it says of each lesson, and of all."""
    rows = page.locator(".neuroprimer-progress :is(tbody, tfoot) tr").all()
    return {row.locator("th").inner_text(): row.locator("td").inner_text().strip() for row in rows}


def said(page, words):
    page.locator(SAID, has_text=words).wait_for()
    return page.inner_text(SAID)


def export(page, file):
    with page.expect_download() as download:
        page.click("[data-action=export]")
    download.value.save_as(file)
    assert download.value.suggested_filename == "neuroprimer-progress.json"
    return json.loads(file.read_text())["events"]


def import_file(page, file):
    with page.expect_file_chooser() as chooser:
        page.click("[data-action=import]")
    chooser.value.set_files(file)


def kept(page):
    return page.evaluate("JSON.stringify(Object.entries(localStorage).sort())")


# Hints


def test_hints_open_one_after_the_other_and_stay(lesson):
    shown, button = (
        lesson.locator(f"{STONES} .neuroprimer-hint"),
        lesson.locator(f"{STONES} button"),
    )
    seen = []
    while button.count():
        seen.append((button.inner_text(), shown.count()))
        button.click()

    assert seen == [("Hint 1 of 3", 0), ("Hint 2 of 3", 1), ("Hint 3 of 3", 2)]
    assert [text.split("\n")[-1] for text in shown.all_inner_texts()] == [
        "Begin at the left.",
        "Look *again*.",
        "Use both hands.",
    ]
    assert "Is 2 < 3 & $x$?" in shown.nth(1).inner_text()
    assert lesson.locator("[aria-live=polite] .neuroprimer-hint").count() == 3


def test_keyboard_opens_all_hints_and_marks(lesson):
    lesson.focus(f"{STONES} button")
    for _ in range(3):
        lesson.keyboard.press("Enter")

    assert lesson.locator(":focus").inner_text().endswith("Use both hands.")
    lesson.keyboard.press("Tab")
    lesson.keyboard.press("Space")
    assert lesson.is_checked(f"{STONES} input")


def test_exercise_without_hints_can_be_marked(lesson):
    assert not lesson.locator(f"{PEBBLES} button").count()

    mark(lesson, PEBBLES)

    assert lesson.inner_text(COUNTED).strip() == "1 of 3"


def test_without_scripts_each_hint_opens_the_next(browser, base):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(base + "lessons/count.html")
    for number in (1, 2, 3):
        assert page.locator(f"{STONES} summary:visible").count() == number
        page.click(f"text=Hint {number} of 3")

    assert page.is_visible("text=Use both hands.")
    page.goto(base + "my-progress.html")
    assert page.is_visible("text=needs JavaScript")
    assert not page.is_visible("[data-action=export]")
    context.close()


def test_block_stands_between_the_stub_and_the_solution(site):
    page = BeautifulSoup((site / "lessons/count.html").read_text(), "html.parser")
    block = page.select_one(STONES)

    assert "stones = ..." in block.find_previous("pre").get_text()
    assert "stones = 1234567" in block.find_next("pre").get_text()


@pytest.mark.parametrize("solutions", ["inline", "after", "absent"])
def test_each_exercise_has_one_block_wherever_solutions_are(marked, solutions):
    course = replace(marked.course, policy=Policy(solutions=solutions))
    page = lesson_page(marked.report.reports[0], course, marked.catalogue)

    sources = [cell.source for cell in page.cells]
    (place,) = [place for place, text in enumerate(sources) if "count:stones" in text]
    assert 'lesson.check("stones"' in sources[place - 1]
    assert tasks_of(page).exercises == ("stones", "pebbles")


def test_course_can_keep_hints_off_its_site(marked):
    course = replace(marked.course, policy=Policy(hints=False))
    page = lesson_page(marked.report.reports[0], course, marked.catalogue)

    assert not any("Use both hands" in cell.source for cell in page.cells)
    assert tasks_of(page).exercises == ("stones", "pebbles")


def test_hint_that_changes_is_new_on_the_site_and_so_is_one_that_changes_back(
    tmp_path, neuroprimer
):
    write_files(tmp_path)
    page = tmp_path / "output/site/lessons/measure.html"
    seen = []
    for text in (MEASURES, MEASURES.replace("a ruler", "two rulers"), MEASURES):
        (tmp_path / "plugins/measures.py").write_text(text)
        done = neuroprimer("build", "--course", tmp_path / "course", "--output", page.parents[2])
        assert done.returncode == 0, done.stdout
        seen.append(("Take a ruler." in page.read_text(), "Take two rulers." in page.read_text()))

    assert seen == [(True, False), (False, True), (True, False)]


# Marks


def test_mark_survives_a_reload_and_can_be_taken_back(lesson):
    mark(lesson)
    assert lesson.evaluate(f"localStorage['{KEY}']") == "solved"

    lesson.reload()
    assert lesson.is_checked(f"{STONES} input")
    assert lesson.inner_text(COUNTED).strip() == "1 of 3"

    lesson.uncheck(f"{STONES} input")
    assert lesson.inner_text(COUNTED).strip() == "0 of 3"
    assert kept(lesson).count("count:stones") == 0


def test_quiz_counts_once_it_is_answered_right(lesson):
    answer_quiz(lesson, "b")
    assert lesson.inner_text(COUNTED).strip() == "0 of 3"

    answer_quiz(lesson)
    assert lesson.inner_text(COUNTED).strip() == "1 of 3"
    lesson.reload()
    assert lesson.is_visible(".neuroprimer-quiz >> text=✓ Done")


def test_mark_of_another_tab_appears(lesson, base):
    other = lesson.context.new_page()
    other.goto(base + "lessons/count.html")
    mark(other)

    lesson.wait_for_function(f'document.querySelector("{STONES} input").checked')


def test_lesson_without_anything_to_do_has_no_count(open_page, base):
    page = open_page(base + "lessons/read.html")

    assert not page.locator(".neuroprimer-done").count()


NO_STORAGE = """Object.defineProperty(window, "localStorage", {
    get() { throw new DOMException("denied", "SecurityError"); }
})"""
FULL_STORAGE = """Storage.prototype.setItem = () => {
    throw new DOMException("full", "QuotaExceededError");
}"""


@pytest.mark.parametrize("storage", [NO_STORAGE, FULL_STORAGE], ids=["none", "full"])
def test_browser_that_keeps_nothing_shows_all_and_says_so(browser, base, storage):
    context = browser.new_context()  # the theme complains without storage, which is not ours
    page = context.new_page()
    page.add_init_script(storage)
    page.goto(base + "lessons/count.html")

    mark(page)
    answer_quiz(page)
    page.click("text=Hint 1 of 3")

    assert page.inner_text(COUNTED).strip() == "2 of 3"
    assert page.is_visible("text=Begin at the left.")
    assert "keeps no marks" in page.inner_text(".neuroprimer-facts")
    page.goto(base + "my-progress.html")
    assert "keeps no marks" in page.inner_text(SAID)
    context.close()


def test_page_that_was_opened_as_a_file_works_and_says_what_may_be_lost(open_page, site):
    page = open_page((site / "lessons/count.html").as_uri())
    mark(page)

    assert page.inner_text(COUNTED).strip() == "1 of 3"
    assert "opened as a file" in page.inner_text(".neuroprimer-facts")
    go_to_progress(page)
    assert counts(page)["All lessons"] == "1 of 4"


# The page about the progress


@pytest.fixture
def progress_page(lesson):
    """Return the page after one mark and one answer in the first lesson."""
    mark(lesson)
    answer_quiz(lesson)
    go_to_progress(lesson)
    return lesson


def test_page_shows_every_lesson(progress_page):
    assert counts(progress_page) == {
        "Counting stones": "2 of 3",
        "Measuring": "0 of 1",
        "Reading": "nothing to mark",
        "All lessons": "2 of 4",
    }
    progress_page.click(".neuroprimer-progress >> text=Measuring")
    progress_page.wait_for_url("**/lessons/measure.html")


def test_page_that_the_course_has_written_goes_before_ours(marked, tmp_path):
    (tmp_path / "book").mkdir()
    (tmp_path / "book/my-progress.md").write_text("# My own page\n")
    part = replace(marked.course.parts[-1], pages=("my-progress",))
    course = replace(marked.course, folder=tmp_path, parts=(*marked.course.parts[:-1], part))

    assert publish_course(course, marked.report.reports, marked.catalogue, tmp_path / "out") == ()

    assert "My own page" in (tmp_path / "out/site/my-progress.html").read_text()


def test_book_tool_that_runs_no_script_of_ours_gets_hints_and_no_page_of_progress(marked, tmp_path):
    export_course(
        marked.course, marked.report.reports, marked.catalogue, tmp_path / "book", tool="myst"
    )

    assert not list(tmp_path.rglob("my-progress*"))
    assert "my-progress" not in (tmp_path / "book/myst.yml").read_text()
    assert "<summary>Hint 3 of 3" in (tmp_path / "book/lessons/count.ipynb").read_text()


def test_clearing_asks_first_and_leaves_other_courses_alone(progress_page):
    progress_page.evaluate("localStorage['neuroprimer:elsewhere:x'] = 'solved'; 0")
    asked = []
    progress_page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    progress_page.click("[data-action=clear]")
    said(progress_page, "Nothing was cleared.")
    assert "2 done" in asked[0]
    assert counts(progress_page)["All lessons"] == "2 of 4"

    progress_page.once("dialog", lambda dialog: dialog.accept())
    progress_page.click("[data-action=clear]")
    said(progress_page, "Cleared: 2.")
    assert counts(progress_page)["All lessons"] == "0 of 4"
    assert "neuroprimer:elsewhere:x" in kept(progress_page)
    assert "count" not in kept(progress_page)
    progress_page.go_back()
    assert not progress_page.is_checked(f"{STONES} input")


def test_with_nothing_done_there_is_nothing_to_export_or_clear(open_page, base):
    page = open_page(base + "my-progress.html")

    page.click("[data-action=export]")
    said(page, "nothing to export")
    page.click("[data-action=clear]")
    said(page, "nothing to clear")


# Exchange with the command line


def test_command_line_imports_what_the_page_exports_and_a_second_time_nothing(
    progress_page, tmp_path, neuroprimer, progress_path
):
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    events = export(progress_page, first)
    progress_page.reload()
    assert export(progress_page, second) == events

    done = neuroprimer("progress", "import", first)
    assert (done.returncode, done.stdout) == (0, f"{first}: 2 new\n"), done.stderr
    assert neuroprimer("progress", "import", second).stdout == f"{second}: 0 new\n"

    assert {
        (one.lesson_id, one.exercise_id, one.kind, one.is_correct, one.points)
        for one in Progress(progress_path).events()
    } == {("count", "stones", "mark", False, 0.0), ("count", "colour", "attempt", True, 0.0)}


def test_page_imports_what_the_command_line_exports(
    open_page, base, tmp_path, neuroprimer, progress_path
):
    progress = Progress(progress_path)
    for exercise_id, kind, is_correct in (
        ("stones", HINT, False),
        ("stones", ATTEMPT, True),
        ("pebbles", ATTEMPT, False),
        ("colour", ATTEMPT, True),
        ("gone", ATTEMPT, True),
    ):
        progress.record(
            Event(
                lesson_id="count",
                exercise_id=exercise_id,
                kind=kind,
                is_correct=is_correct,
                message="né \ud800",
                points=float(is_correct),
            )
        )
    file = tmp_path / "mine.json"
    assert neuroprimer("progress", "export", file).returncode == 0
    page = open_page(base + "my-progress.html")

    import_file(page, file)

    assert said(page, "Imported") == (
        "Imported mine.json: 2 new, 0 known before, 1 of exercises that this site does not have."
    )
    assert counts(page)["Counting stones"] == "2 of 3"
    back = tmp_path / "back.json"
    export(page, back)
    assert neuroprimer("progress", "import", back).stdout == f"{back}: 0 new\n"
    page.goto(base + "lessons/count.html")
    assert page.is_checked(f"{STONES} input")
    assert not page.is_checked(f"{PEBBLES} input")


def test_import_keeps_every_mark_and_a_second_one_adds_nothing(progress_page, tmp_path, base):
    export(progress_page, tmp_path / "mine.json")
    progress_page.goto(base + "lessons/measure.html")
    mark(progress_page, "[data-exercise]")
    progress_page.goto(base + "my-progress.html")
    before = kept(progress_page)

    for _ in range(2):
        import_file(progress_page, tmp_path / "mine.json")
        assert said(progress_page, "Imported").endswith("0 new, 2 known before.")
        progress_page.evaluate(f"document.querySelector('{SAID}').textContent = ''")

    assert kept(progress_page) == before
    assert counts(progress_page)["All lessons"] == "3 of 4"


EVENT = {
    "lesson_id": "measure",
    "exercise_id": "width",
    "kind": "mark",
    "is_correct": False,
    "message": "",
    "digest": "",
    "points": 0,
    "when": "2026-03-01T09:00:00+00:00",
    "id": "a",
}


def file_with(*events, **fields):
    return json.dumps({"format": "neuroprimer-progress", "version": 2, "events": events, **fields})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("null", "no export of progress"),
        ("[]", "no export of progress"),
        (file_with(EVENT, format="bookmarks"), "no export of progress"),
        (file_with(EVENT, version=3), "newer neuroprimer"),
        (file_with(EVENT, version=0), "version"),
        (file_with(EVENT, version="2"), "version"),
        (file_with(events=None), "events are not as they must be"),
        (file_with(EVENT, None), "events are not as they must be"),
        (file_with(EVENT, {**EVENT, "kind": "praise"}), "events are not as they must be"),
        (file_with(EVENT, {**EVENT, "id": ""}), "events are not as they must be"),
        (file_with(EVENT, {**EVENT, "when": "today"}), "events are not as they must be"),
        (file_with(EVENT, {**EVENT, "is_correct": "yes"}), "events are not as they must be"),
        (file_with(EVENT, {**EVENT, "more": 1}), "events are not as they must be"),
    ],
)
def test_file_that_cannot_be_imported_gets_words_and_changes_nothing(
    progress_page, tmp_path, text, words
):
    (tmp_path / "odd.json").write_text(text)
    before = kept(progress_page)

    import_file(progress_page, tmp_path / "odd.json")

    message = said(progress_page, "was not imported")
    assert words in message
    assert message.endswith("Nothing was changed.")
    assert kept(progress_page) == before


def test_event_that_was_damaged_in_the_browser_is_made_anew(progress_page, tmp_path, neuroprimer):
    progress_page.evaluate("localStorage['neuroprimer-event:count:stones'] = '{'; 0")

    assert len(export(progress_page, tmp_path / "mine.json")) == 2
    done = neuroprimer("progress", "import", tmp_path / "mine.json")
    assert "2 new" in done.stdout


# For everybody


def test_open_hints_marks_and_the_page_break_no_rule_of_axe_and_fit_a_phone(
    open_page, base, inspection
):
    for scheme in inspection.SCHEMES:
        page = open_page(base + "lessons/count.html", width=inspection.PHONE_WIDTH, scheme=scheme)
        mark(page)
        answer_quiz(page)
        page.click("text=Hint 1 of 3")
        found = [inspection.violations(page), inspection.overflow(page)]
        page.goto(base + "my-progress.html")
        page.click("[data-action=import]", trial=True)
        found += [inspection.violations(page), inspection.overflow(page)]

        assert found == [[], "", [], ""], scheme


def test_paper_has_open_hints_and_no_buttons(lesson):
    lesson.click("text=Hint 1 of 3")
    lesson.emulate_media(media="print")

    assert lesson.is_visible("text=Begin at the left.")
    assert not lesson.is_visible(f"{STONES} button")
    assert not lesson.is_visible(f"{STONES} input")
