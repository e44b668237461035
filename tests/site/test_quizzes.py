"""Quizzes in a real browser: what a student clicks and types, and what the page says of it."""

from itertools import combinations
from pathlib import Path

import pytest

from neuroprimer.teaching import Choice, NumericQuiz, Quiz, check_quiz
from neuroprimer.teaching.exercises.quiz_html import quiz_html

pytestmark = pytest.mark.site

ENTER = ("Enter", 13, "\r")
TAB = ("Tab", 9)
SPACE = (" ", 32, " ")
DOWN = ("ArrowDown", 40)

AXIS = Quiz(
    id="axis",
    question="Where does the first axis of RAS+ point?",
    choices=(
        Choice("to the left <b>", feedback="That is LAS+, </script> & the habit of radiologists."),
        Choice("to the right", is_correct=True),
        Choice("to the front", feedback="That is the second axis: é."),
    ),
    explanation="RAS+ names where axes point.",
)
UNITS = Quiz(
    id="units",
    question="Which of these are lengths?",
    several=True,
    choices=(
        Choice("mm", is_correct=True),
        Choice("TR", feedback="A TR is a time."),
        Choice("FWHM", is_correct=True),
        Choice("Hz", feedback="Hz is a frequency."),
    ),
)
WIDTH = NumericQuiz(
    id="width",
    question="How wide is an image of 91 voxels of 2 mm?",
    answer=lambda data: 2.0 * data("voxels"),
    tolerance=0.5,
    unit="mm",
    slips={"That is the number of voxels.": lambda data: data("voxels")},
)


def data(_name):
    return 91


@pytest.fixture
def show(browser, tmp_path):
    """Open a page with some quizzes in the browser, and return the browser."""

    def show(*quizzes):
        pieces = "\n".join(quiz_html(quiz, data, lesson_id="lesson") for quiz in quizzes)
        page = tmp_path / "page.html"
        page.write_text(
            '<!doctype html><html lang="en"><meta charset="utf-8"><title>Quizzes</title>'
            "<script>heard = []; localStorage.clear();"
            "addEventListener('neuroprimer-quiz', (event) => heard.push(event.detail));"
            "before = new Set(Object.getOwnPropertyNames(window))</script>"
            f"<body>{pieces}</body></html>",
            encoding="utf-8",
        )
        browser.open(page)
        return browser

    yield show
    assert browser.problems == []


def verdict(browser, number=0):
    found = f"document.querySelectorAll('.neuroprimer-verdict')[{number}]"
    return browser.run(f"[{found}.dataset.state ?? '', {found}.textContent]")


def choice(letter, number=1):
    return f"form:nth-of-type({number}) input[value={letter}]"


def test_wrong_choice_is_told_its_own_feedback(show):
    browser = show(AXIS)

    for letter, wrong in (("a", AXIS.choices[0]), ("c", AXIS.choices[2])):
        browser.click(choice(letter))
        browser.click("button")
        assert verdict(browser) == ["wrong", f"Not yet. {wrong.feedback}"]


def test_right_choice_is_told_so_and_remembered(show):
    browser = show(AXIS)

    browser.click(choice("b"))
    assert browser.run("localStorage.getItem('neuroprimer:lesson:axis')") is None
    browser.click("button")

    assert verdict(browser) == ["right", "Right. RAS+ names where axes point."]
    assert browser.run("localStorage.getItem('neuroprimer:lesson:axis')") == "solved"
    assert browser.run("heard") == [{"lesson": "lesson", "quiz": "axis", "solved": True}]


def test_wrong_answer_is_not_remembered(show):
    browser = show(AXIS)

    browser.click(choice("a"))
    browser.click("button")

    assert browser.run("[localStorage.length, heard.length]") == [0, 0]


def test_label_chooses_as_its_circle_does(show):
    browser = show(AXIS)

    browser.click("label:nth-of-type(2) span:last-child")

    assert browser.run(f"document.querySelector({choice('b')!r}).checked")


def test_no_choice_is_asked_for_one(show):
    browser = show(AXIS)

    browser.click("button")

    assert verdict(browser) == ["missing", check_quiz(AXIS, None, data).message]


def test_new_choice_takes_the_old_verdict_away(show):
    browser = show(AXIS)

    browser.click(choice("a"))
    browser.click("button")
    browser.click(choice("b"))

    assert verdict(browser) == ["", ""]


def test_page_and_notebook_say_the_same_of_every_set_of_choices(show):
    browser = show(UNITS)
    chosen = set()

    for size in range(5):
        for wanted in map(set, combinations("abcd", size)):
            for letter in chosen ^ wanted:
                browser.click(choice(letter))
            chosen = wanted
            browser.click("button")
            outcome = check_quiz(UNITS, chosen, data)
            state, text = verdict(browser)
            assert (state == "right") == outcome.is_correct
            assert text.removeprefix("Not yet. ") == outcome.message


NUMBERS = (
    *("182", "182.5", "182,4", "181.49", "182.51", " 182 mm", "182mm", "+1.82e2", "-182"),
    *("\N{MINUS SIGN}182", "91", "91,3", "91.6", ".5", "5.", "0", "1e999"),
)


def answer_number(browser, text):
    browser.run("document.querySelector('input').value = ''")
    browser.click("input")
    browser.type(text)
    browser.press(*ENTER)
    return verdict(browser)


def test_page_and_notebook_say_the_same_of_every_number(show):
    browser = show(WIDTH)

    for text in NUMBERS:
        outcome = check_quiz(WIDTH, text, data)
        state, said = answer_number(browser, text)
        assert state == ("right" if outcome.is_correct else "wrong"), text
        assert said.removeprefix("Not yet. ") == outcome.message, text


def test_known_slip_is_told_what_it_is(show):
    assert answer_number(show(WIDTH), "91") == ["wrong", "Not yet. That is the number of voxels."]


@pytest.mark.parametrize("text", ["182 km", "1.182,5", "1,2,3", "wide", "1_000", "NaN", "1 82"])
def test_what_is_no_number_gets_words_on_the_page_as_in_the_notebook(show, text):
    state, said = answer_number(show(WIDTH), text)

    assert state == "missing"
    assert said in check_quiz(WIDTH, text, data).message


def test_keyboard_is_enough(show):
    browser = show(AXIS)

    browser.press(*TAB)
    browser.press(*SPACE)
    browser.press(*DOWN)
    browser.press(*ENTER)
    assert verdict(browser)[0] == "right"

    browser.press(*TAB)
    assert browser.run("document.activeElement.tagName") == "BUTTON"
    browser.press(*ENTER)
    assert verdict(browser)[0] == "right"
    assert browser.run("location.search") == ""


def test_quizzes_on_one_page_leave_each_other_alone(show):
    browser = show(AXIS, UNITS, AXIS)

    browser.click(choice("b", 1))
    browser.click(choice("a", 3))
    browser.click("form:nth-of-type(1) button")
    browser.click("form:nth-of-type(3) button")

    assert browser.run(f"document.querySelector({choice('b', 1)!r}).checked")
    assert [verdict(browser, number)[0] for number in range(3)] == ["right", "", "wrong"]
    assert len(browser.run("heard")) == 1


def test_quiz_leaves_no_global_name(show):
    browser = show(AXIS, WIDTH)

    names = browser.run("Object.getOwnPropertyNames(window).filter((name) => !before.has(name))")
    assert set(names) <= {"before"}


def test_page_that_may_keep_nothing_answers_all_the_same(show):
    browser = show(AXIS)
    browser.run("Storage.prototype.setItem = () => { throw new Error('full') }; 0")

    browser.click(choice("b"))
    browser.click("button")

    assert verdict(browser)[0] == "right"
    assert len(browser.run("heard")) == 1


LESSON = """
from neuroprimer.teaching import Choice, NumericQuiz, Quiz

QUIZZES = [
    NumericQuiz(id="width", question="How wide?", answer=lambda data: 182.0, tolerance=0.5),
    Quiz(
        id="axis",
        question="Where does the first axis of RAS+ point?",
        choices=(
            Choice("to the left", feedback="That is LAS+."),
            Choice("to the right, as the name says", is_correct=True),
        ),
    )
]
"""


# How far the colour of an element stands out from what lies below it, as WCAG 2 reckons.
CONTRAST = """
((element, property) => {
  const luminance = (colour) => {
    const [r, g, b] = colour.match(/[0-9.]+/g).map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  let below = element;
  while (below.parentElement && /, 0\\)$/.test(getComputedStyle(below).backgroundColor)) {
    below = below.parentElement;
  }
  const pair = [getComputedStyle(element)[property], getComputedStyle(below).backgroundColor];
  const [dark, light] = pair.map(luminance).sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
})
"""


def contrast(browser, selector, what="color"):
    return browser.run(f"{CONTRAST}(document.querySelector({selector!r}), {what!r})")


@pytest.fixture
def lesson_page(course_folder, write_lesson, neuroprimer, tmp_path):
    """Build a course whose one lesson has a quiz, and return the lesson's page."""
    lesson = write_lesson(
        "import neuroprimer\nlesson = neuroprimer.lesson('a-lesson')",
        "lesson.quiz('axis')",
        "lesson.quiz('width')",
        exercises="quizzes_of_it.py",
    )
    Path(lesson.parent, "quizzes_of_it.py").write_text(LESSON)
    output = tmp_path / "output"
    done = neuroprimer("build", "--course", course_folder, "--output", output)
    assert done.returncode == 0, done.stdout + done.stderr
    return output / "site" / "lessons" / "a-lesson.html"


def test_quiz_answers_in_the_book_and_is_readable_by_day_by_night_and_on_a_phone(
    browser, lesson_page
):
    for scheme in ("light", "dark"):
        browser.open(lesson_page, width=390, scheme=scheme)
        browser.click("input[value=a]")
        browser.click(".neuroprimer-quiz button")

        assert verdict(browser) == ["wrong", "Not yet. That is LAS+."]
        assert browser.run("document.documentElement.dataset.theme") == scheme
        assert browser.run("document.documentElement.scrollWidth") <= 390
        for text in ("legend", "label span", "button", ".neuroprimer-verdict span"):
            assert contrast(browser, f".neuroprimer-quiz {text}") >= 4.5, (scheme, text)
        assert contrast(browser, ".neuroprimer-quiz [type=text]", "borderTopColor") >= 3, scheme
        # the script of the theme's own complains; of quizzes there is nothing
        assert [one for one in browser.problems if "THEBE_JS_URL" not in one] == []
