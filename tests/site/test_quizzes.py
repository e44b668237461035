"""Quizzes in a real browser: what a student clicks and types, and what the page says of it."""

from itertools import combinations
from pathlib import Path

import pytest

from neuroprimer.teaching import Choice, NumericQuiz, Quiz, check_quiz
from neuroprimer.teaching.exercises.quiz_html import quiz_html

pytestmark = pytest.mark.site

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
def show(open_page, tmp_path):
    """Open a page with some quizzes in the browser, and return it."""

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
        return open_page(page.as_uri())

    return show


def verdict(page, number=0):
    found = f"document.querySelectorAll('.neuroprimer-verdict')[{number}]"
    return page.evaluate(f"[{found}.dataset.state ?? '', {found}.textContent]")


def choice(letter, number=1):
    return f"form:nth-of-type({number}) input[value={letter}]"


def test_wrong_choice_is_told_its_own_feedback(show):
    page = show(AXIS)

    for letter, wrong in (("a", AXIS.choices[0]), ("c", AXIS.choices[2])):
        page.click(choice(letter))
        page.click("button")
        assert verdict(page) == ["wrong", f"Not yet. {wrong.feedback}"]


def test_right_choice_is_told_so_and_remembered(show):
    page = show(AXIS)

    page.click(choice("b"))
    assert page.evaluate("localStorage.getItem('neuroprimer:lesson:axis')") is None
    page.click("button")

    assert verdict(page) == ["right", "Right. RAS+ names where axes point."]
    assert page.evaluate("localStorage.getItem('neuroprimer:lesson:axis')") == "solved"
    assert page.evaluate("heard") == [{"lesson": "lesson", "quiz": "axis", "solved": True}]


def test_wrong_answer_is_not_remembered(show):
    page = show(AXIS)

    page.click(choice("a"))
    page.click("button")

    assert page.evaluate("[localStorage.length, heard.length]") == [0, 0]


def test_label_chooses_as_its_circle_does(show):
    page = show(AXIS)

    page.click("label:nth-of-type(2) span:last-child")

    assert page.evaluate(f"document.querySelector({choice('b')!r}).checked")


def test_no_choice_is_asked_for_one(show):
    page = show(AXIS)

    page.click("button")

    assert verdict(page) == ["missing", check_quiz(AXIS, None, data).message]


def test_new_choice_takes_the_old_verdict_away(show):
    page = show(AXIS)

    page.click(choice("a"))
    page.click("button")
    page.click(choice("b"))

    assert verdict(page) == ["", ""]


def test_page_and_notebook_say_the_same_of_every_set_of_choices(show):
    page = show(UNITS)
    chosen = set()

    for size in range(5):
        for wanted in map(set, combinations("abcd", size)):
            for letter in chosen ^ wanted:
                page.click(choice(letter))
            chosen = wanted
            page.click("button")
            outcome = check_quiz(UNITS, chosen, data)
            state, text = verdict(page)
            assert (state == "right") == outcome.is_correct
            assert text.removeprefix("Not yet. ") == outcome.message


NUMBERS = (
    *("182", "182.5", "182,4", "181.49", "182.51", " 182 mm", "182mm", "+1.82e2", "-182"),
    *("\N{MINUS SIGN}182", "91", "91,3", "91.6", ".5", "5.", "0", "1e999"),
)


def answer_number(page, text):
    page.evaluate("document.querySelector('input').value = ''")
    page.click("input")
    page.keyboard.insert_text(text)
    page.keyboard.press("Enter")
    return verdict(page)


def test_page_and_notebook_say_the_same_of_every_number(show):
    page = show(WIDTH)

    for text in NUMBERS:
        outcome = check_quiz(WIDTH, text, data)
        state, said = answer_number(page, text)
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
    page = show(AXIS)

    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert verdict(page)[0] == "right"

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "BUTTON"
    page.keyboard.press("Enter")
    assert verdict(page)[0] == "right"
    assert page.evaluate("location.search") == ""


def test_quizzes_on_one_page_leave_each_other_alone(show):
    page = show(AXIS, UNITS, AXIS)

    page.click(choice("b", 1))
    page.click(choice("a", 3))
    page.click("form:nth-of-type(1) button")
    page.click("form:nth-of-type(3) button")

    assert page.evaluate(f"document.querySelector({choice('b', 1)!r}).checked")
    assert [verdict(page, number)[0] for number in range(3)] == ["right", "", "wrong"]
    assert len(page.evaluate("heard")) == 1


def test_quiz_leaves_no_global_name(show):
    page = show(AXIS, WIDTH)

    names = page.evaluate("Object.getOwnPropertyNames(window).filter((name) => !before.has(name))")
    assert set(names) <= {"before"}


def test_page_that_may_keep_nothing_answers_all_the_same(show):
    page = show(AXIS)
    page.evaluate("Storage.prototype.setItem = () => { throw new Error('full') }; 0")

    page.click(choice("b"))
    page.click("button")

    assert verdict(page)[0] == "right"
    assert len(page.evaluate("heard")) == 1


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


def contrast(page, selector, what="color"):
    return page.evaluate(f"{CONTRAST}(document.querySelector({selector!r}), {what!r})")


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
    open_page, inspection, lesson_page
):
    for scheme in inspection.SCHEMES:
        page = open_page(lesson_page.as_uri(), width=inspection.PHONE_WIDTH, scheme=scheme)
        page.click("input[value=a]")
        page.click(".neuroprimer-quiz button")

        assert verdict(page) == ["wrong", "Not yet. That is LAS+."]
        assert page.evaluate("document.documentElement.dataset.theme") == scheme
        assert inspection.overflow(page) == ""
        for text in ("legend", "label span", "button", ".neuroprimer-verdict span"):
            assert contrast(page, f".neuroprimer-quiz {text}") >= 4.5, (scheme, text)
        assert contrast(page, ".neuroprimer-quiz [type=text]", "borderTopColor") >= 3, scheme
        assert inspection.violations(page) == [], scheme
