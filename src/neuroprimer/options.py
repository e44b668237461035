"""Options that several commands have in common."""

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from neuroprimer import teaching
from neuroprimer.teaching.plugins import BLOCKED_VARIABLE, PLUGINS_DIR_VARIABLE

FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)


def with_catalogue(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options about plugins, and give the command the catalogue that they lead to."""

    @click.option(
        "--plugins-dir",
        type=FOLDER,
        envvar=PLUGINS_DIR_VARIABLE,
        help="Load the .py files of this folder as plugins, too.",
    )
    @click.option(
        "--block-plugin",
        "blocked",
        multiple=True,
        envvar=BLOCKED_VARIABLE,
        metavar="NAME",
        help="Do not load this plugin. May be given again.",
    )
    @click.option("--trace-plugins", is_flag=True, help="Show every call of a hook.")
    @wraps(command)
    def with_loaded_plugins(
        *arguments: Any,
        plugins_dir: Path | None,
        blocked: tuple[str, ...],
        trace_plugins: bool,
        **options: Any,
    ) -> None:
        catalogue = teaching.load_catalogue(
            plugins_dir=plugins_dir,
            blocked=blocked,
            trace=sys.stderr.write if trace_plugins else None,
        )
        command(*arguments, catalogue=catalogue, **options)

    return with_loaded_plugins


with_course = click.option(
    "--course",
    "course_folder",
    type=FOLDER,
    default=".",
    show_default=True,
    help="The folder that holds book/course.toml.",
)
with_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
with_jobs = click.option(
    "-j", "--jobs", type=click.IntRange(min=1), help="Lessons run side by side. Default: all cores."
)
with_junit = click.option("--junit", type=FILE, help="Also write JUnit XML to this file.")
with_summary = click.option(
    "--summary", type=FILE, help="Also write a summary in Markdown to this file."
)
with_budget = click.option(
    "--budget", is_flag=True, help="A lesson that takes longer than its budget fails."
)
with_events = click.option(
    "--events", type=FILE, help="Also write what happens to this file, a JSON object a line."
)
with_output = click.option(
    "--output",
    type=FOLDER,
    help="Where site, notebooks and reports go. Default: _build in the course.",
)
with_cache_folder = click.option(
    "--cache",
    "cache_folder",
    type=FOLDER,
    help="Where runs that passed are kept. Default: this user's cache.",
)


def output_folder(course_folder: Path, output: Path | None) -> Path:
    """Return what `with_output` stands for where nothing is said."""
    return output or course_folder / "_build"
