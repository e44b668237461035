"""The HTML of quizzes: well formed, escaped, and it tells nothing at a glance."""

import base64
import json
import re
from html.parser import HTMLParser

import pytest

from neuroprimer.teaching import Choice, NumericQuiz, Quiz
from neuroprimer.teaching.exercises.quiz_html import (
    quiz_html,
    quiz_text,
)
from neuroprimer.teaching.model import LessonError

NASTY = (
    """<b>&amp; "quotes" 'single' </script><script>alert(1)</script> </form> <!-- ]]> \\u00e9 é"""
)


def make_quiz(text="plain", **options) -> Quiz:
    return Quiz(
        id="q",
        question=f"Question {text}",
        choices=(
            Choice(f"First {text}", feedback=f"Secret feedback {text}"),
            Choice(f"Second {text}", is_correct=True, feedback=f"Secret praise {text}"),
        ),
        explanation=f"Secret explanation {text}",
        **options,
    )


def make_number(text="plain") -> NumericQuiz:
    return NumericQuiz(
        id="n",
        question=f"Question {text}",
        answer=lambda _: 98765.25,
        tolerance=0.0625,
        unit=text,
        slips={f"Secret feedback {text}": lambda _: 43210.5},
        explanation=f"Secret explanation {text}",
    )


def html(quiz) -> str:
    return quiz_html(quiz, None, lesson_id="lesson")


KINDS = [make_quiz, lambda text="plain": make_quiz(text, several=True), make_number]


class Outline(HTMLParser):
    """Holds every tag against the one that it must close, and keeps texts and attributes."""

    VOID = frozenset({"input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs)
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("script", "style"):
            self.texts.append(data)


@pytest.mark.parametrize("make", KINDS)
def test_every_tag_is_closed_whatever_the_texts_hold(make):
    plain, nasty = Outline(html(make())), Outline(html(make(NASTY)))

    assert plain.open == nasty.open == []
    assert [tag for tag, _ in nasty.tags] == [tag for tag, _ in plain.tags]


@pytest.mark.parametrize("make", KINDS)
def test_texts_arrive_as_they_were_written(make):
    texts = " ".join(Outline(html(make(NASTY))).texts)

    assert f"Question {NASTY}" in texts
    if make is not make_number:
        assert f"First {NASTY}" in texts
        assert f"Second {NASTY}" in texts


@pytest.mark.parametrize("make", KINDS)
def test_nothing_of_the_answer_is_readable_at_a_glance(make):
    page = html(make())

    for secret in ("Secret", "praise", "is_correct", "98765", "43210", "0.0625"):
        assert secret not in page


def test_right_and_wrong_choices_have_the_same_markup():
    inputs = [attributes for tag, attributes in Outline(html(make_quiz())).tags if tag == "input"]

    assert [set(attributes) for attributes in inputs] == [{"type", "name", "value"}] * 2


@pytest.mark.parametrize("make", KINDS)
def test_key_holds_every_text_for_the_script(make):
    (key,) = re.findall(r'data-key="([^"]+)"', html(make(NASTY)))

    decoded = json.dumps(json.loads(base64.b64decode(key)))

    assert json.dumps(f"Secret feedback {NASTY}")[1:-1] in decoded
    assert json.dumps(f"Secret explanation {NASTY}")[1:-1] in decoded


@pytest.mark.parametrize("make", KINDS)
def test_two_builds_give_the_same_bytes(make):
    assert html(make()) == html(make())


@pytest.mark.parametrize("make", KINDS)
def test_piece_asks_no_host_and_has_no_ids_that_could_clash(make):
    page = Outline(html(make()))

    for _, attributes in page.tags:
        assert not {"src", "href", "action", "id"} & set(attributes)
    assert "http" not in html(make())
    assert "url(" not in html(make())
    assert "@import" not in html(make())


def test_question_names_the_group_and_every_input_has_a_label():
    for make in KINDS:
        tags = [tag for tag, _ in Outline(html(make())).tags]

        assert tags.count("fieldset") == tags.count("legend") == 1
        assert tags.index("legend") == tags.index("fieldset") + 1
        assert tags.count("label") == tags.count("input")


def test_number_that_cannot_be_computed_is_an_error():
    quiz = NumericQuiz(id="n", question="?", answer=lambda _: 1 / 0, tolerance=1)

    with pytest.raises(LessonError, match="ZeroDivisionError"):
        html(quiz)


def test_plain_text_has_letters_and_says_how_to_answer():
    assert quiz_text(make_quiz()) == (
        "Question plain\n  a) First plain\n  b) Second plain\n"
        'Answer with lesson.answer("q", "b"), with your letter in its place.'
    )
    assert 'lesson.answer("q", ["a", "b"])' in quiz_text(make_quiz(several=True))
    assert 'lesson.answer("n", 2.5)' in quiz_text(make_number())
