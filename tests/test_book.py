"""The book and the README say what the code does."""

import inspect
import json
import os
import re
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import pytest

from neuroprimer.teaching import RULES, hookspecs
from neuroprimer.teaching.exercises.faults import FEWEST_WRONG_ANSWERS
from neuroprimer.teaching.exercises.mutations import MUTATIONS
from neuroprimer.teaching.plugins import hook_names, make_manager
from neuroprimer.teaching.policy import PLACES, Policy

REPOSITORY = Path(__file__).parent.parent
HOOKS_PAGE = (REPOSITORY / "book/developing/hooks.md").read_text()
RULES_PAGE = (REPOSITORY / "book/developing/rules.md").read_text()
PLUGINS_PAGE = (REPOSITORY / "book/developing/plugins.md").read_text()
EXERCISES_PAGE = (REPOSITORY / "book/write-exercises.md").read_text()
README = (REPOSITORY / "README.md").read_text()


def in_one_line(text: str) -> str:
    return " ".join(text.replace("`", "").split())


@pytest.mark.parametrize("hook", hook_names(make_manager()))
def test_hook_stands_in_the_book_with_its_signature_and_words(hook):
    function = getattr(hookspecs, hook)
    signature = str(inspect.signature(function))
    for module in (
        "collections.abc.",
        "pathlib._local.",
        "pathlib.",
        "neuroprimer.teaching.executors.",
        "neuroprimer.teaching.model.",
    ):
        signature = signature.replace(module, "")
    section = HOOKS_PAGE.partition(f"\n## {hook}\n")[2].partition("\n## ")[0]

    assert f"def {hook}{signature}:" in section
    first_line = in_one_line(inspect.getdoc(function).splitlines()[0])
    assert first_line in in_one_line(section)


def test_book_names_no_hook_that_does_not_exist():
    headings = set(re.findall(r"^## (\w+_\w+)$", HOOKS_PAGE, re.MULTILINE))

    assert headings == set(hook_names(make_manager()))


@pytest.mark.parametrize("code", RULES)
def test_rule_stands_in_the_book_with_its_fix(code):
    section = RULES_PAGE.partition(f"({code.lower()})=\n### {code}: ")[2].partition("\n(np")[0]

    assert section.startswith(f"{RULES[code].title}\n")
    assert in_one_line(f"**Fix:** {RULES[code].fix}") in in_one_line(section)


def test_every_rule_is_used_and_every_used_rule_exists():
    code = "".join(
        file.read_text()
        for file in (REPOSITORY / "src/neuroprimer").rglob("*.py")
        if file.name != "rules.py"
    )

    assert set(re.findall(r'"(NP\d{3})"', code)) == set(RULES)


def test_every_change_of_an_answer_stands_in_the_book_and_no_other():
    table = EXERCISES_PAGE.partition("### How answers are changed")[2].partition("\n### ")[0]

    assert re.findall(r"^\| `([^`]+)` \| \S", table, re.MULTILINE) == list(MUTATIONS)


def test_every_finding_of_a_proof_stands_on_the_page_on_exercises():
    faults = (REPOSITORY / "src/neuroprimer/teaching/exercises/faults.py").read_text()
    named = set(re.findall(r"\(#np(\d{3})\)", EXERCISES_PAGE))

    assert named == {code[2:] for code in re.findall(r'"(NP\d{3})"', faults)} | {"408"}


def test_page_on_exercises_tells_of_every_place_for_solutions():
    table = EXERCISES_PAGE.partition("| `solutions` | on the site |")[2].partition("\n\n")[0]
    usual = re.search(r"```toml\n\[exercises\]\n(.*?)```", EXERCISES_PAGE, re.DOTALL)[1]

    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(PLACES)
    assert Policy(**tomllib.loads(usual)) == Policy()
    assert FEWEST_WRONG_ANSWERS == 2  # as the page says


@pytest.mark.parametrize(
    "code",
    re.findall(r"```python\n(.*?)```", EXERCISES_PAGE, re.DOTALL),
    ids=lambda code: code[:30],
)
def test_code_on_the_page_on_exercises_runs(code):
    exec(code, {})  # noqa: S102  it stands in our own book


@pytest.mark.kernel
def test_exercise_of_the_book_is_proven(tmp_path):
    folder = write_plugin_of(PLUGINS_PAGE, tmp_path / "mine")
    lesson = re.search(r"````markdown\n(.*?)````", EXERCISES_PAGE, re.DOTALL)[1]
    exercises = re.search(r"```python\n(.*?)```", EXERCISES_PAGE, re.DOTALL)[1]
    (folder / "my_first_lesson.md").write_text(lesson)
    (folder / "my_first_exercises.py").write_text(exercises)
    command = ("validate", "my-first-lesson", "--plugins-dir", str(folder), "--no-cache", "--json")

    done = subprocess.run(
        [sys.executable, "-m", "neuroprimer", *command],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout
    assert "brain-size" in done.stdout


def test_constraints_name_no_package_index():
    text = (REPOSITORY / "constraints.txt").read_text()

    assert "--hash=sha256:" in text
    assert "://" not in text
    assert "index" not in text.replace("sphinx", "")


def write_plugin_of(page: str, folder: Path) -> Path:
    """Write the two files that a page shows, as a reader would copy them."""
    plugin, lesson = re.search(
        r"```python\n(from pathlib.*?)```.*?````markdown\n(.*?)````", page, re.DOTALL
    ).groups()
    folder.mkdir()
    (folder / "my_first_lesson.py").write_text(plugin)
    (folder / "my_first_lesson.md").write_text(lesson)
    return folder


@pytest.mark.site
def test_plugin_of_the_readme_appears_on_the_site(tmp_path, course_cache):
    folder = write_plugin_of(README, tmp_path / "mine")

    done = subprocess.run(
        [
            *(sys.executable, "-m", "neuroprimer", "build", "--plugins-dir", str(folder)),
            *("--output", str(tmp_path / "out"), "--cache", str(course_cache)),
        ],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    page = (tmp_path / "out" / "site" / "lessons" / "my-first-lesson.html").read_text()
    assert "1886539" in page  # nibabel and numpy count as many voxels above zero
    front = (tmp_path / "out" / "site" / "intro.html").read_text()
    assert "My first lesson" in front


@pytest.fixture(scope="module")
def environment(tmp_path_factory) -> Path:
    """Return a new environment that sees the packages of this one and has pip of its own."""
    folder = tmp_path_factory.mktemp("environment") / "venv"
    venv.create(folder, with_pip=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    ours = [path for path in sys.path if path.endswith("site-packages")]
    (packages / "ours.pth").write_text(
        "\n".join(f"import site; site.addsitedir({path!r})" for path in ours)
    )
    return folder


def test_installing_the_plugin_of_the_book_adds_its_lesson_and_uninstalling_removes_it(
    environment, tmp_path
):
    folder = write_plugin_of(PLUGINS_PAGE, tmp_path / "mine")
    project = re.search(r"```toml\n(.*?)```", PLUGINS_PAGE, re.DOTALL)[1]
    (folder / "pyproject.toml").write_text(project)
    python = environment / "bin" / "python"

    def pip(*arguments: str) -> None:
        done = subprocess.run(
            [str(python), "-m", "pip", *arguments],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        )
        assert done.returncode == 0, done.stderr

    def lessons() -> set[str]:
        done = subprocess.run(
            [str(python), "-m", "neuroprimer", "list", "--json"],
            capture_output=True,
            text=True,
            check=True,
        )
        return {lesson["id"] for lesson in json.loads(done.stdout)["lessons"]}

    before = lessons()
    pip("install", "--no-deps", "--no-build-isolation", "--no-index", str(folder))
    installed = lessons()
    pip("uninstall", "--yes", "neuroprimer-my-topic")

    assert installed - before == {"my-first-lesson"}
    assert lessons() == before
