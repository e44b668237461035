"""Lessons, plugins and courses written for a test; the kernels and books they meet are real."""

import os
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import settings

from neuroprimer.teaching import Lesson, load_lesson

# A loop is compiled when it is first called, and machines differ: how long one example takes says
# nothing about the code.
settings.register_profile("neuroprimer", deadline=None)
settings.load_profile("neuroprimer")

REPOSITORY = Path(__file__).parent.parent


@pytest.fixture(scope="session", autouse=True)
def _cache_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the user's own cache out of what is made once for many tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEUROPRIMER_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("NEUROPRIMER_DATA", str(_folder_of_all_workers(tmp_path_factory) / "data"))
        patch.setenv("NEUROPRIMER_PROGRESS", str(tmp_path_factory.mktemp("progress") / "p.sqlite"))
        patch.delenv("GITHUB_STEP_SUMMARY", raising=False)
        yield


def _folder_of_all_workers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for what is made once and never changes, such as datasets."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(autouse=True)
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test a cache of its own, empty at first, and return its folder."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("NEUROPRIMER_CACHE", str(folder))
    monkeypatch.setenv("NEUROPRIMER_PROGRESS", str(tmp_path / "progress.sqlite"))
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)  # of the job that runs the tests
    return folder


@pytest.fixture(autouse=True)
def progress_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test a file of progress of its own, which does not exist yet."""
    file = tmp_path / "own-progress" / "progress.sqlite"
    monkeypatch.setenv("NEUROPRIMER_PROGRESS", str(file))
    monkeypatch.setattr("neuroprimer.teaching.exercises.attempts._in_memory", [])
    return file


WriteLesson = Callable[..., Path]
RunCommand = Callable[..., subprocess.CompletedProcess[str]]


def lesson_text(
    *cells: str,
    lesson_id: str = "a-lesson",
    title: str = "A lesson",
    kernel: str = "",
    **metadata: object,
) -> str:
    """Return a MyST notebook; a cell that begins with '---' brings metadata of its own."""
    lines = ["---"]
    if kernel:
        lines += [f"kernelspec: {{name: {kernel}, display_name: X}}"]
    lines += ["neuroprimer:", f"  id: {lesson_id}"]
    lines += [f"  {key}: {value}" for key, value in metadata.items()]
    lines += ["---", "", f"# {title}", "", "Some prose.", ""]
    for cell in cells:
        lines += ["```{code-cell} ipython3", dedent(cell).strip(), "```", ""]
    return "\n".join(lines)


@pytest.fixture
def write_lesson(tmp_path: Path) -> WriteLesson:
    """Write a lesson's file into the plugins folder and return its path."""

    def write(*cells: str, lesson_id: str = "a-lesson", **options: object) -> Path:
        file = tmp_path / "plugins" / f"{lesson_id}.md"
        file.parent.mkdir(exist_ok=True)
        file.write_text(lesson_text(*cells, lesson_id=lesson_id, **options))
        return file

    return write


@pytest.fixture
def make_lesson(write_lesson: WriteLesson) -> Callable[..., Lesson]:
    """Write a lesson's file and return the lesson."""
    return lambda *cells, **options: load_lesson(write_lesson(*cells, **options))


@pytest.fixture
def write_plugin(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write a plugin into the plugins folder and return the folder."""

    def write(name: str, code: str) -> Path:
        folder = tmp_path / "plugins"
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.py").write_text(dedent(code))
        return folder

    return write


BRINGS_ALL_LESSONS = """
from pathlib import Path
from neuroprimer.teaching import hookimpl, load_lesson

@hookimpl
def register_lessons():
    return [load_lesson(file) for file in sorted(Path(__file__).parent.glob("*.md"))]
"""


@pytest.fixture
def course_folder(tmp_path: Path, write_plugin: Callable[[str, str], Path]) -> Path:
    """Return a course whose plugin brings every lesson that is written into the plugins folder."""
    write_plugin("brings", BRINGS_ALL_LESSONS)
    folder = tmp_path / "course"
    (folder / "book").mkdir(parents=True)
    (folder / "book" / "course.toml").write_text('title = "A course"\n')
    (folder / "book" / "intro.md").write_text("# A course\n\nWelcome.\n")
    return folder


@pytest.fixture(scope="session")
def our_plugins() -> tuple[str, ...]:
    """Return the names of all plugins in the repository that bring lessons."""
    projects = sorted(REPOSITORY.glob("plugins/*/pyproject.toml"))
    return "builtin", *(
        name
        for project in projects
        for name in tomllib.loads(project.read_text())["project"]["entry-points"]["neuroprimer"]
    )


@pytest.fixture
def neuroprimer(tmp_path: Path, our_plugins: tuple[str, ...]) -> RunCommand:
    """Run the command line with the test's own plugins, and none of the installed ones."""

    def run(
        *arguments: str | Path,
        blocked: Sequence[str] = our_plugins,
    ) -> subprocess.CompletedProcess[str]:
        (tmp_path / "plugins").mkdir(exist_ok=True)
        environment = {
            **os.environ,
            "NEUROPRIMER_BLOCK_PLUGINS": " ".join(blocked),
            "NEUROPRIMER_PLUGINS_DIR": str(tmp_path / "plugins"),
        }
        return subprocess.run(
            [sys.executable, "-m", "neuroprimer", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            cwd=tmp_path,
            env=environment,
        )

    return run
