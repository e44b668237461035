"""Lesson files: what they must say, and what is said when they do not."""

import json

import pytest

from neuroprimer.teaching import load_lesson
from neuroprimer.teaching.model import LessonError

HEAD = "---\nneuroprimer:\n  id: a-lesson\n"


def test_metadata_come_from_the_front_matter_and_the_title_from_the_heading(tmp_path):
    file = tmp_path / "lesson.md"
    file.write_text(
        f"{HEAD}  objectives: [see, do]\n  teaching_min: 5\n  cell_timeout_s: 0.5\n---\n\n"
        "# The *title* #\n\nProse.\n\n```{code-cell}\n# no heading\n```\n"
    )

    lesson = load_lesson(file)

    assert (lesson.id, lesson.title, lesson.path) == ("a-lesson", "The *title*", file)
    assert lesson.objectives == ("see", "do")
    assert (lesson.teaching_min, lesson.cell_timeout_s) == (5, 0.5)


def test_mark_that_some_editors_put_in_front_is_overlooked(tmp_path):
    file = tmp_path / "lesson.md"
    file.write_text(f"{HEAD}---\n# The title\n", encoding="utf-8-sig")

    assert load_lesson(file).title == "The title"


def test_jupyter_notebook_says_the_same(tmp_path):
    file = tmp_path / "lesson.ipynb"
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": ["# The title\n", "\n", "Prose."]},
        {"cell_type": "code", "metadata": {}, "source": ["# no heading"]},
    ]
    metadata = {"neuroprimer": {"id": "a-lesson", "datasets": ["d"]}}
    file.write_text(json.dumps({"cells": cells, "metadata": metadata}))

    lesson = load_lesson(file)

    assert (lesson.id, lesson.title, lesson.datasets) == ("a-lesson", "The title", ("d",))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("# Title\n", "no front matter"),
        ("---\ntitle: x\n---\n# Title\n", "says nothing under 'neuroprimer'"),
        ("---\nneuroprimer: [unclosed\n---\n# Title\n", "not YAML"),
        ("---\n- a\n---\n# Title\n", "says nothing"),
        ("---\nneuroprimer:\n  teaching_min: 5\n---\n# T\n", "needs an id.*'id: lesson'"),
        (f"{HEAD}---\nNo heading.\n", "no title"),
        (f"{HEAD}---\n```{{code-cell}}\n# comment\n```\n", "no title"),
        (f"{HEAD}  objectivs: [x]\n---\n# T\n", "no 'objectivs'.*mean 'objectives'"),
        (f"{HEAD}  objectives: see\n---\n# T\n", "objectives should be a list of texts"),
        (f"{HEAD}  teaching_min: long\n---\n# T\n", "a whole number of minutes"),
        (f"{HEAD}  teaching_min: -5\n---\n# T\n", "a whole number of minutes"),
        (f"{HEAD}  teaching_min: 1.5\n---\n# T\n", "a whole number of minutes"),
        (f"{HEAD}  cell_timeout_s: 0\n---\n# T\n", "seconds above 0"),
        (f"{HEAD}  description: [x]\n---\n# T\n", "description should be a text"),
        (f"{HEAD}  level: easy\n---\n# T\n", "cannot be of the level 'easy'"),
        ("---\nneuroprimer:\n  id: A Lesson\n---\n# T\n", "cannot be the id"),
    ],
)
def test_what_is_missing_or_wrong_is_said_in_words(tmp_path, text, words):
    file = tmp_path / "lesson.md"
    file.write_text(text)

    with pytest.raises(LessonError, match=words):
        load_lesson(file)


@pytest.mark.parametrize("text", ["not json", "[]", "{}", '{"cells": [1], "metadata": {}}'])
def test_file_that_is_no_notebook_is_refused(tmp_path, text):
    file = tmp_path / "lesson.ipynb"
    file.write_text(text)

    with pytest.raises(LessonError, match="not a Jupyter notebook"):
        load_lesson(file)


def test_missing_and_foreign_files_are_refused(tmp_path):
    with pytest.raises(LessonError, match="Cannot read the lesson"):
        load_lesson(tmp_path / "gone.md")
    with pytest.raises(LessonError, match=r"ends in '\.py'"):
        load_lesson(tmp_path / "lesson.py")
    (tmp_path / "latin.md").write_bytes("---\nä".encode("latin-1"))
    with pytest.raises(LessonError, match="Cannot read the lesson"):
        load_lesson(tmp_path / "latin.md")
