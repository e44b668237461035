"""The page of differences shows what was expected, what was found, and where the two differ."""

import base64
import io
import json
import re

import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image, ImageDraw

from neuroprimer.teaching import ExecutionResult, validate_run
from neuroprimer.teaching.golden.page import PageError, difference_page, write_pages
from neuroprimer.teaching.golden.pictures import picture_difference, shrink
from neuroprimer.teaching.golden.records import record_file
from neuroprimer.teaching.golden.updating import update_records


def picture(*, x: int = 100, width: int = 400) -> str:
    """Return a black disc on white, PNG in base64."""
    image = Image.new("RGB", (width, 300), "white")
    ImageDraw.Draw(image).ellipse((x, 50, x + 150, 200), fill="black")
    file = io.BytesIO()
    image.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


@pytest.fixture
def run(make_lesson):
    """Return a run of a lesson with one golden cell that has given the outputs."""
    lesson = make_lesson("1")

    def make(*outputs, data=()) -> ExecutionResult:
        metadata = {"tags": ["golden"], "mystnb": {"image": {"alt": "A disc."}}}
        cell = new_code_cell("1", execution_count=1, outputs=list(outputs), metadata=metadata)
        return ExecutionResult(
            lesson=lesson, notebook=new_notebook(cells=[cell]), figure_data={1: data}
        )

    return make


def shown(png: str):
    return new_output("display_data", {"image/png": png})


def printed(text: str):
    return new_output("stream", text=text)


def page_of(before: ExecutionResult, after: ExecutionResult) -> BeautifulSoup:
    update_records([validate_run(before, against_records=False)])
    return BeautifulSoup(difference_page(after), "html.parser")


def test_page_holds_recorded_and_new_picture_and_their_difference(run):
    page = page_of(run(shown(picture())), run(shown(picture(x=200))))

    sources = {img["alt"]: img["src"] for img in page.find_all("img")}
    prefix = "data:image/png;base64,"
    assert sources["recorded, in small"] == prefix + shrink(picture())
    assert sources["found"] == prefix + picture(x=200)
    content = base64.b64decode(sources["difference, 4 times as strong"].removeprefix(prefix))
    assert Image.open(io.BytesIO(content)).getextrema() == (0, 255)


def test_page_marks_the_numbers_that_are_off_and_no_other(run):
    page = page_of(run(printed("1.0 2.0 3.0")), run(printed("1.0000001 2.5 3.0")))

    assert [mark.text for mark in page.find_all("mark")] == ["2.0", "2.5"]


def test_page_marks_other_words_line_by_line(run):
    page = page_of(run(printed("same\nmean 2.0")), run(printed("same\nmedian 2.0")))

    assert "median 2.0" in page.table.text
    assert [tag.text for tag in page.find_all(class_="diff_add")] == ["di"]


def test_page_shows_all_of_a_long_text(run):
    numbers = [str(value / 7) for value in range(500)]
    page = page_of(run(printed(" ".join(numbers))), run(printed(" ".join(["9.9", *numbers]))))

    assert page.pre.text.startswith("9.9 0.0 ")


def test_page_shows_the_pictures_of_figures_whose_data_differ(run):
    png = picture()
    page = page_of(run(shown(png), data=["axes 1 y: 1.5"]), run(shown(png), data=["axes 1 y: 2.5"]))

    assert [mark.text for mark in page.find_all("mark")] == ["1.5", "2.5"]
    assert len(page.find_all("img")) == 3


def test_page_asks_no_other_host_and_runs_nothing(run):
    html = "<script src='https://example.org/a.js'></script><img src='https://example.org/b.png'>"
    page = page_of(
        run(new_output("display_data", {"text/html": "<p>1.5</p>"})),
        run(new_output("display_data", {"text/html": f"<p>2.5 &lt;script&gt;</p>{html}"})),
    )

    policy = page.find("meta", attrs={"http-equiv": "Content-Security-Policy"})["content"]
    assert policy.startswith("default-src 'none'")
    assert not page.find_all("script")
    assert not re.search(r"(src|href)=.?http", str(page))


def test_only_lessons_that_differ_get_a_page(run, tmp_path):
    update_records([validate_run(run(printed("1.5")), against_records=False)])

    assert write_pages([validate_run(run(printed("1.5")))], tmp_path / "pages") == ()
    (page,) = write_pages([validate_run(run(printed("2.5")))], tmp_path / "pages")
    assert page == tmp_path / "pages" / "a-lesson.html"
    assert "found 2.5" in page.read_text()


def test_page_that_cannot_be_written_is_said(run, tmp_path):
    update_records([validate_run(run(printed("1.5")), against_records=False)])
    (tmp_path / "pages").write_text("a file")

    with pytest.raises(PageError, match="Cannot write the page of differences"):
        write_pages([validate_run(run(printed("2.5")))], tmp_path / "pages")


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (picture(x=101), ""),
        (picture(x=250), "grey levels differ by"),
        (picture(width=404), ""),
        (picture(width=600), "expected 96 x 72 pixels in small, found 96 x 48"),
    ],
    ids=["as good as the same", "moved", "a pixel wider", "another shape"],
)
def test_pictures_are_compared_by_their_grey_levels(other, words):
    assert picture_difference(shrink(picture()), shrink(other), 8).startswith(words)
    assert bool(picture_difference(shrink(picture()), shrink(other), 8)) == bool(words)


def test_transparent_picture_lies_on_white():
    file = io.BytesIO()
    Image.new("RGBA", (40, 30), (0, 0, 0, 0)).save(file, "PNG")

    small = shrink(base64.b64encode(file.getvalue()).decode())

    assert Image.open(io.BytesIO(base64.b64decode(small))).getextrema() == (255, 255)


@pytest.mark.parametrize("cut", [slice(0), slice(12), slice(1, None), slice(-40)])
def test_record_whose_picture_is_damaged_is_found(run, cut):
    before = run(shown(picture()))
    update_records([validate_run(before, against_records=False)])
    file = record_file(before.lesson.path)
    small = shrink(picture())
    file.write_text(file.read_text().replace(small, small[cut] or "no picture"))

    (finding,) = validate_run(before).findings

    assert finding.rule == "NP324"
    assert "cannot be read: NoPictureError: a picture is damaged" in finding.message


@pytest.mark.parametrize("png", ["bm8gcGljdHVyZQ==", "no base64"])
def test_picture_that_is_none_guards_nothing(run, png):
    (finding,) = validate_run(run(shown(png)), against_records=False).findings

    assert finding.rule == "NP326"


@pytest.mark.site
def test_build_writes_a_page_and_its_finding_names_it(neuroprimer, write_lesson, course_folder):
    cell = "---\ntags: [golden]\n---\nprint({})"
    write_lesson(cell.format(1.5))
    neuroprimer("validate", "a-lesson", "--update-golden", "--course", course_folder)
    first = neuroprimer("build", "--course", course_folder)
    page = course_folder / "_build" / "run" / "golden" / "a-lesson.html"
    record = course_folder.parent / "plugins" / "a-lesson.golden.json"
    approved = record.read_text()
    record.write_text(approved.replace("1.5", "2.5"))

    second = neuroprimer("build", "--course", course_folder)
    was_there = page.is_file()
    record.write_text(approved)
    third = neuroprimer("build", "--course", course_folder)

    assert first.returncode == third.returncode == 0, first.stderr + third.stderr
    assert second.returncode == 1
    assert "a-lesson: cached" in second.stderr
    assert f"found 1.5 (they differ by 1, allowed is 2.5e-06) in `1.5`. See {page}" in second.stderr
    assert was_there
    assert not page.exists()


@pytest.mark.kernel
def test_update_says_what_it_has_recorded(neuroprimer, write_lesson, course_folder):
    write_lesson("---\ntags: [golden]\n---\nprint(1.5)")

    done = neuroprimer("validate", "--update-golden", "--json", "--course", course_folder)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["golden"] == [
        {"lesson": "a-lesson", "new": ["1"], "changed": [], "gone": [], "is_left": False}
    ]
