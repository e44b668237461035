"""Folders made like others by touching only what differs."""

import os

import pytest

from neuroprimer.teaching.preview.mirrors import mirror_pages, mirror_sources


@pytest.fixture
def folders(tmp_path):
    new, mirror = tmp_path / "new", tmp_path / "mirror"
    (new / "lessons").mkdir(parents=True)
    mirror.mkdir()
    (new / "intro.md").write_text("Welcome.")
    (new / "lessons" / "one.md").write_text("One.")
    return new, mirror


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_sources_become_the_same(folders):
    new, mirror = folders
    (mirror / "gone.md").write_text("An old page.")

    mirror_sources(new, mirror, besides="built")

    assert contents(mirror) == contents(new)


def test_source_with_the_same_content_keeps_its_time(folders):
    new, mirror = folders
    mirror_sources(new, mirror, besides="built")
    os.utime(mirror / "intro.md", ns=(1, 1))
    os.utime(mirror / "lessons" / "one.md", ns=(1, 1))
    (new / "lessons" / "one.md").write_text("Two.")

    mirror_sources(new, mirror, besides="built")

    assert (mirror / "intro.md").stat().st_mtime_ns == 1
    assert (mirror / "lessons" / "one.md").stat().st_mtime_ns > 1


def test_what_lies_beside_the_sources_is_left(folders):
    new, mirror = folders
    (mirror / "built" / "html").mkdir(parents=True)
    (mirror / "built" / "html" / "intro.html").write_text("A page.")

    mirror_sources(new, mirror, besides="built")

    assert (mirror / "built" / "html" / "intro.html").read_text() == "A page."


def test_pages_are_copied_once(folders):
    new, mirror = folders

    first = mirror_pages(new, mirror)
    (mirror / "intro.md").write_text("Repaired.")
    second = mirror_pages(new, mirror)

    assert first == ("intro.md", "lessons/one.md")
    assert second == ()
    assert (mirror / "intro.md").read_text() == "Repaired."


def test_page_that_is_written_anew_is_copied_again(folders):
    new, mirror = folders
    mirror_pages(new, mirror)
    (mirror / "intro.md").write_text("Repaired.")
    (new / "intro.md").write_text("Hello.")

    assert mirror_pages(new, mirror) == ("intro.md",)
    assert (mirror / "intro.md").read_text() == "Hello."


def test_page_that_is_gone_is_removed(folders):
    new, mirror = folders
    mirror_pages(new, mirror)
    (new / "intro.md").unlink()

    assert mirror_pages(new, mirror) == ("intro.md",)
    assert contents(mirror) == contents(new)
