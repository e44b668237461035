"""Publishing: all or nothing, the same every time, and never over somebody's work."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from neuroprimer.teaching import Part, build_course
from neuroprimer.teaching.publish import PublishError, lesson_page, publish_course
from neuroprimer.teaching.publish import replace as replacing
from neuroprimer.teaching.publish.jupyter_book import BookError, require_config
from neuroprimer.teaching.publish.repairs import repair_site
from neuroprimer.teaching.publish.replace import replace_folder, restore_folder

pytestmark = pytest.mark.site


def digests(folder: Path) -> dict[str, str]:
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def soup(built, page: str) -> BeautifulSoup:
    return BeautifulSoup((built.output / "site" / page).read_text(), "html.parser")


def test_two_builds_in_two_places_give_the_same_bytes(built, build_small_course, tmp_path):
    again = build_small_course(tmp_path / "elsewhere")

    assert again.report.passed
    ours, others = digests(again.output / "site"), digests(built.output / "site")
    # the one page that says what was measured
    assert ours.pop("runs.html") != others.pop("runs.html")
    assert ours == others


def test_page_about_the_runs_differs_in_its_figures_alone(built, build_small_course, tmp_path):
    again = build_small_course(tmp_path / "elsewhere")

    def without_figures(output: Path) -> str:
        page = BeautifulSoup((output / "site" / "runs.html").read_text(), "html.parser")
        page.select_one("#figures-of-the-runs").clear()
        return str(page)

    assert without_figures(again.output) == without_figures(built.output)


def test_page_about_the_runs_is_in_the_navigation_and_shows_each_lesson(built):
    page = soup(built, "runs.html")
    front = soup(built, "intro.html")

    assert front.find("a", href="runs.html").get_text(strip=True) == "How the lessons ran"
    headings = page.select("tbody th")
    assert [heading.a["href"] for heading in headings] == [
        "lessons/first.html",
        "lessons/second.html",
    ]
    (first, _) = built.report.reports
    wall = f"{first.result.duration_s:.1f}"
    columns = [heading.get_text() for heading in page.select("thead th")]
    cells = [cell.get_text() for cell in page.select_one("tbody tr").find_all(["th", "td"])]
    assert len(cells) == len(columns)
    assert cells[columns.index("Wall (s)")] == wall
    assert cells[columns.index("Why it ran, or did not")] == "ran: the cache is off"


def test_page_of_the_course_goes_before_ours(built, tmp_path):
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "intro.md").write_text("# Welcome\n")
    (tmp_path / "book" / "runs.md").write_text("# Runs of the course\n")
    part = Part(title="More", pages=("runs",))
    course = replace(built.course, folder=tmp_path, parts=(*built.course.parts, part))

    findings = publish_course(course, built.report.reports, built.catalogue, tmp_path / "out")

    assert findings == ()
    page = (tmp_path / "out" / "site" / "runs.html").read_text()
    assert "Runs of the course" in page
    assert "figures-of-the-runs" not in page


@pytest.mark.parametrize(
    ("index", "leads_on"),
    [
        ('<meta http-equiv="Refresh" content="0; url=other.html" />', True),
        ("<title>My index</title>", False),
    ],
    ids=["of-the-book-tool", "of-the-course"],
)
def test_index_that_a_course_has_written_is_no_redirect(tmp_path, index, leads_on):
    (tmp_path / "intro.html").write_text("<title>Welcome</title>")
    (tmp_path / "index.html").write_text(index)

    repair_site(tmp_path, {})
    repair_site(tmp_path, {})  # as a draft is

    text = (tmp_path / "index.html").read_text()
    assert ("url=intro.html" in text) == leads_on
    assert (text == index) == (not leads_on)


def test_page_shows_the_card_the_outputs_and_the_key_points(built):
    page = soup(built, "lessons/first.html")

    assert page.h1.get_text().startswith("The first lesson")
    card = page.select_one(".admonition")
    assert "count" in card.get_text()
    assert "5 min reading" in card.get_text()
    assert "Brought by the plugin brings." in page.select_one("#credits").get_text()
    assert page.find("img", alt="A rising line.")
    assert "Counting is easy." in page.select_one("#key-points").get_text()


def test_prerequisite_is_a_link(built):
    card = soup(built, "lessons/second.html").select_one(".admonition")

    assert card.find("a", href="first.html").get_text() == "The first lesson"


def test_formulas_need_no_script_and_no_other_host(built):
    page = soup(built, "lessons/first.html")

    assert len(page.find_all("math")) == 2
    assert page.find("math", display="block").find("mtable")
    sources = [str(tag["src"]) for tag in page.find_all("script", src=True)]
    assert [source for source in sources if "//" in source] == []


def test_failed_build_leaves_the_last_good_site_and_no_litter(built):
    before = digests(built.output / "site")
    broken = replace(built.course.lessons[0], lesson_timeout_s=0.001)
    part = replace(built.course.parts[0], lessons=(broken, built.course.lessons[1]))

    report = build_course(
        replace(built.course, parts=(part,)), built.catalogue, output=built.output
    )

    assert not report.passed
    assert report.site is None
    assert digests(built.output / "site") == before
    assert not list(built.output.glob(".stage-*"))


def test_lenient_build_publishes_without_the_lesson_that_failed(built, tmp_path):
    broken = replace(built.course.lessons[0], lesson_timeout_s=0.001)
    part = replace(built.course.parts[0], lessons=(broken, built.course.lessons[1]))
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "intro.md").write_text("# Welcome\n")
    course = replace(built.course, folder=tmp_path, parts=(part,))

    report = build_course(course, built.catalogue, output=tmp_path / "out", strict=False)

    lessons = tmp_path / "out" / "site" / "lessons"
    assert report.left_out == ("first",)
    assert not report.passed
    assert [page.name for page in lessons.glob("*.html")] == ["second.html"]


def test_site_that_does_not_hold_what_it_must_is_not_published(built, tmp_path):
    (tmp_path / "book").mkdir()
    # Jupyter Book has nothing against a link in HTML, wherever it leads
    (tmp_path / "book" / "intro.md").write_text('# Welcome\n\n<a href="gone.html">x</a>\n')
    course = replace(built.course, folder=tmp_path)
    before = digests(built.output / "site")

    findings = publish_course(course, built.report.reports, built.catalogue, built.output)

    assert [(finding.rule, finding.subject) for finding in findings] == [("NP405", "intro.html")]
    assert digests(built.output / "site") == before


def test_strict_build_publishes_nothing_if_one_lesson_failed(built, tmp_path):
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "intro.md").write_text("# Welcome\n")
    broken = replace(built.course.lessons[1], lesson_timeout_s=0.001, prerequisites=())
    part = replace(built.course.parts[0], lessons=(built.course.lessons[0], broken))
    course = replace(built.course, folder=tmp_path, parts=(part,))

    report = build_course(course, built.catalogue, output=tmp_path / "out")

    assert [one.passed for one in report.reports] == [True, False]
    assert report.site is None
    assert not (tmp_path / "out" / "site").exists()


def test_complaint_of_the_book_tool_is_a_finding_and_publishes_nothing(built, tmp_path):
    book = tmp_path / "book"
    book.mkdir()
    (book / "intro.md").write_text("# Welcome\n\n[nowhere](gone.md)\n")
    course = replace(built.course, folder=tmp_path)

    findings = publish_course(course, built.report.reports, built.catalogue, tmp_path / "out")

    assert [finding.rule for finding in findings] == ["NP407"]
    assert "gone.md" in findings[0].message
    assert str(tmp_path) not in findings[0].message
    assert not (tmp_path / "out" / "site").exists()


@pytest.mark.parametrize("config", [b"[unclosed", b"- a list", "ä: b".encode("latin-1")])
def test_damaged_configuration_is_refused_before_anything_runs(built, tmp_path, config):
    (tmp_path / "_config.yml").write_bytes(config)
    course = replace(built.course, folder=tmp_path)

    with pytest.raises(BookError, match=r"_config\.yml"):
        build_course(course, built.catalogue, output=tmp_path / "out", on_event=pytest.fail)
    assert not (tmp_path / "out").exists()


def test_configuration_of_the_course_is_kept_beside_ours(built, tmp_path):
    (tmp_path / "_config.yml").write_text(
        "author: Ada\nexecute: {execute_notebooks: force}\n"
        "sphinx: {extra_extensions: [sphinx.ext.todo], config: {language: de}}\n"
    )

    config = require_config(replace(built.course, folder=tmp_path))

    assert config["author"] == "Ada"
    assert config["execute"]["execute_notebooks"] == "off"
    assert config["sphinx"]["config"]["language"] == "de"
    first, *ours = config["sphinx"]["extra_extensions"]
    assert first == "sphinx.ext.todo"
    assert [name.rpartition(".")[2] for name in ours] == ["mathml", "look"]


def test_output_folder_that_fills_up_is_an_error_in_words(built, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("nbformat.write", full)

    with pytest.raises(PublishError, match="No space left on device"):
        publish_course(built.course, built.report.reports, built.catalogue, tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# Title", ["# Title", "CARD"]),
        ("(label)=\n# Title\n\nProse.", ["(label)=\n# Title", "CARD", "Prose."]),
        ("No title.", ["CARD", "No title."]),
    ],
)
def test_card_stands_below_the_title(built, text, expected):
    report = built.report.reports[0]
    notebook = new_notebook(cells=[new_markdown_cell(text), new_code_cell("x = 1\ny = 2")])
    result = replace(report.result, notebook=notebook, lesson=replace(report.lesson, key_points=()))

    page = lesson_page(replace(report, result=result), built.course, built.catalogue)

    texts = ["CARD" if "At a glance" in cell.source else cell.source for cell in page.cells]
    assert texts[: len(expected)] == expected
    assert texts[len(expected)] == "x = 1\ny = 2"


def test_run_that_failed_cannot_be_published(built, tmp_path):
    with pytest.raises(ValueError, match="only lessons that have passed"):
        publish_course(built.course, (), built.catalogue, tmp_path)


@pytest.mark.parametrize("has_exchange", [True, False])
def test_folder_is_replaced_whole(tmp_path, monkeypatch, has_exchange):
    if not has_exchange:
        monkeypatch.setattr(replacing, "_exchange", lambda *_: False)
    new, target = tmp_path / "new", tmp_path / "target"
    for folder, name in ((new, "fresh"), (target, "stale")):
        folder.mkdir()
        (folder / name).touch()

    replace_folder(new, target)

    assert [file.name for file in target.iterdir()] == ["fresh"]
    assert [folder.name for folder in tmp_path.iterdir()] == ["target"]


def test_interruption_between_the_two_steps_leaves_the_good_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(replacing, "_exchange", lambda *_: False)
    new, target = tmp_path / "new", tmp_path / "target"
    for folder in (new, target):
        folder.mkdir()
        (folder / f"of-{folder.name}").touch()
    rename = Path.rename

    def interrupted(self, to):
        if self == new:
            raise KeyboardInterrupt
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", interrupted)

    with pytest.raises(KeyboardInterrupt):
        replace_folder(new, target)

    assert (target / "of-target").exists()


def test_folder_that_was_left_aside_is_put_back(tmp_path):
    (tmp_path / ".target-aside").mkdir()

    restore_folder(tmp_path / "target")

    assert [folder.name for folder in tmp_path.iterdir()] == ["target"]


def test_folder_that_cannot_be_replaced_is_put_back(tmp_path, monkeypatch):
    monkeypatch.setattr(replacing, "_exchange", lambda *_: False)
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "stale").touch()

    with pytest.raises(OSError, match="No such file"):
        replace_folder(tmp_path / "gone", tmp_path / "target")

    assert (tmp_path / "target" / "stale").exists()
