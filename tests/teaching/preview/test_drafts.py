"""Drafts: what becomes of pages while lessons are being written."""

import pytest

from neuroprimer.teaching import load_catalogue, load_course
from neuroprimer.teaching.preview.drafts import PAGES, update_draft


@pytest.mark.kernel
def test_course_of_which_no_lesson_can_be_read_is_told_what_is_wrong(
    write_lesson, course_folder, our_plugins, tmp_path
):
    write_lesson("1 + 1")
    catalogue = load_catalogue(plugins_dir=tmp_path / "plugins", blocked=our_plugins)
    course = load_course(course_folder, catalogue)
    write_lesson("1 + 1").write_text("---\nneuroprimer: {id: a-lesson}\nx: [\n---\n\n# A lesson\n")
    (course_folder / "book" / "intro.md").unlink()
    pages = tmp_path / "draft" / PAGES
    pages.mkdir(parents=True)
    updates = []

    found = update_draft(
        pages.parent,
        course,
        catalogue,
        cache=None,
        jobs=1,
        on_event=lambda _: None,
        on_pages=updates.append,
    )

    (update,) = updates
    assert (found, update.changed) == ((), ())
    assert [one.subject for one in update.findings] == ["a-lesson"]
