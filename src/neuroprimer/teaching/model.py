"""The things that teaching is about, as frozen values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from neuroprimer.errors import NeuroprimerError
from neuroprimer.teaching.citations import Citation
from neuroprimer.teaching.policy import Policy
from neuroprimer.teaching.proofs import ProofOutcome
from neuroprimer.teaching.rules import RULES, Rule

if TYPE_CHECKING:
    from nbformat import NotebookNode  # costs 0.1 s that `neuroprimer list` does not spend

ID_PATTERN = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LEVELS = ("beginner", "intermediate", "advanced")
VERSION_PATTERN = re.compile(r"[A-Za-z0-9]+([.-][A-Za-z0-9]+)*")

# The variant of a dataset that every lesson gets, and that needs no network.
SAMPLE = "sample"


class LessonError(NeuroprimerError, ValueError):
    """A lesson or dataset that does not describe itself as it must."""


def require_id(value: str, what: str) -> None:
    """Raise if a text cannot be the id of something.

    Raises
    ------
    LessonError
        If it holds anything but small letters, digits and single hyphens between them.
    """
    if not ID_PATTERN.fullmatch(value):
        raise LessonError(
            f"{value!r} cannot be the id of a {what}: it becomes part of an address.",
            hint="Use small letters, digits and single hyphens, like 'voxels-and-affines'.",
        )


def is_plain_name(name: str) -> bool:
    """Tell whether a text can be the name of a file that leads out of no folder.

    Examples
    --------
    >>> [is_plain_name(name) for name in ("a.nii.gz", "../a", "", ".hidden")]
    [True, False, False, False]
    """
    return bool(name) and not name.startswith(".") and "/" not in name and "\\" not in name


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One breach of one rule.

    Parameters
    ----------
    rule : str
        Code of the rule, a key of `RULES`.
    subject : str
        Who is at fault: a plugin's name, a lesson's id, or a file of the course or site.
    message : str
        What was found against what was expected.
    cell : int, optional
        Which code cell of the lesson, counted from 1.
    """

    rule: str
    subject: str
    message: str
    cell: int | None = None

    @property
    def definition(self) -> Rule:
        """The rule that was broken."""
        return RULES[self.rule]

    def __str__(self) -> str:
        where = self.subject if self.cell is None else f"{self.subject}, code cell {self.cell}"
        return f"{self.rule} {where}: {self.message}"


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """One lesson: where its text notebook lies, and what it says of itself.

    Parameters
    ----------
    id : str
        Small letters, digits and hyphens; becomes the page's address.
    title : str
        The first heading of the notebook.
    path : pathlib.Path
        The notebook, .md (MyST) or .ipynb without outputs.
    description : str
        One sentence for lists.
    objectives, questions, key_points : tuple of str
        What the student will be able to do, what is asked, what to keep.
    prerequisites : tuple of str
        Ids of lessons that come first.
    datasets : tuple of str
        Ids of the datasets that the lesson reads.
    level : str
        One of `LEVELS`; empty where the lesson does not say.
    teaching_min, exercise_min : int
        Minutes for reading and for exercises.
    authors : tuple of str
        Who wrote it.
    cell_timeout_s, lesson_timeout_s : float, optional
        Time limits of its own; the course's hold where it has none.
    memory_mb : float, optional
        How much memory it may hold, in megabytes; the course's limit holds where it says nothing.
    budget_s : float, optional
        How long its run should take at most, in seconds. Unlike a time limit it stops nothing;
        builds with ``--budget`` fail when it is exceeded.
    network : bool
        Whether it may reach other machines while the course is built.
    environment : tuple of str
        Names of the environment variables that its outputs depend on.
    exercises : str
        The Python file, beside the lesson's own, that holds its exercises; empty for none.
    """

    id: str
    title: str
    path: Path
    description: str = ""
    objectives: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    key_points: tuple[str, ...] = ()
    prerequisites: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    level: str = ""
    teaching_min: int = 0
    exercise_min: int = 0
    authors: tuple[str, ...] = ()
    cell_timeout_s: float | None = None
    lesson_timeout_s: float | None = None
    memory_mb: float | None = None
    budget_s: float | None = None
    network: bool = False
    environment: tuple[str, ...] = ()
    exercises: str = ""

    def __post_init__(self) -> None:
        require_id(self.id, "lesson")
        if self.level not in ("", *LEVELS):
            raise LessonError(
                f"The lesson {self.id!r} cannot be of the level {self.level!r}.",
                hint=f"Levels are {', '.join(LEVELS)}.",
            )
        object.__setattr__(self, "path", Path(self.path))  # plugins may well give a text


@dataclass(frozen=True, kw_only=True)
class Variant:
    """Files that a dataset can have, and where they come from.

    Parameters
    ----------
    name : str
        How it is asked for, such as ``"full"``: small letters, digits and hyphens.
    title, licence, citation : str
        What it is, the terms, and whom to thank.
    is_synthetic : bool
        True when a program made the data up.
    size_mb : float
        What it takes on disk, in megabytes (millions of bytes); 0 where it is not known.
    """

    name: str
    title: str
    licence: str
    citation: str
    is_synthetic: bool
    size_mb: float = 0.0

    def __post_init__(self) -> None:
        require_id(self.name, "variant")


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Data that lessons read, and where they come from.

    What it says of itself is said of its sample: the files that every lesson gets, without a
    network.

    Parameters
    ----------
    id : str
        Small letters, digits and hyphens.
    title, description : str
        For people.
    licence, citation : str
        The terms, and whom to thank.
    is_synthetic : bool
        True when a program made the data up. Every page that uses them says so.
    version : str
        Changes when the files do; files of different versions are kept apart.
    files : mapping of str to str
        Name and digest of each file of the sample, as `content_digest` gives it; empty where they
        are not known.
    size_mb : float
        What the sample takes on disk, in megabytes (millions of bytes); 0 where it is not known.
    further : tuple of Variant
        What there is under the same name beside the sample, such as ``"full"``.
    """

    id: str
    title: str
    description: str
    licence: str
    citation: str
    is_synthetic: bool
    version: str = "1"
    files: Mapping[str, str] = field(default_factory=dict, hash=False)
    size_mb: float = 0.0
    further: tuple[Variant, ...] = ()

    @property
    def variants(self) -> tuple[Variant, ...]:
        """All there is under this name, the sample first."""
        sample = Variant(
            name=SAMPLE,
            title=self.title,
            licence=self.licence,
            citation=self.citation,
            is_synthetic=self.is_synthetic,
            size_mb=self.size_mb,
        )
        return (sample, *self.further)

    def __post_init__(self) -> None:
        require_id(self.id, "dataset")
        if not VERSION_PATTERN.fullmatch(self.version):
            raise LessonError(
                f"{self.version!r} cannot be the version of the dataset {self.id!r}: "
                "it becomes part of the name of a folder.",
                hint="Use letters, digits, dots and hyphens, like '1' or '2026.1'.",
            )
        for name in self.files:
            if not is_plain_name(name):
                raise LessonError(
                    f"{name!r} cannot be a file of the dataset {self.id!r}.",
                    hint="Give plain names, without folders.",
                )
        names = [variant.name for variant in self.variants]
        if len(set(names)) < len(names):
            raise LessonError(
                f"The dataset {self.id!r} has variants of the same name: {', '.join(names)}.",
                hint=f"{SAMPLE!r} is what the dataset itself describes; name others differently.",
            )


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How long things may take, and how much of the machine.

    Parameters
    ----------
    cell_timeout_s, lesson_timeout_s, start_timeout_s : float
        For one cell, for all cells of a lesson, and for the kernel to answer, in seconds.
    memory_mb : float
        For a lesson's kernel and all that it starts, in megabytes (millions of bytes).
    output_mb : float
        For all outputs of a lesson, in millions of characters.
    processes : int
        For a kernel and all that it starts.
    budget_s : float, optional
        What the run of a lesson should take at most, where the lesson says nothing; it stops none.
    """

    cell_timeout_s: float = 120.0
    lesson_timeout_s: float = 600.0
    start_timeout_s: float = 60.0
    memory_mb: float = 4000.0
    output_mb: float = 20.0
    processes: int = 100
    budget_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class Part:
    """A chapter of the course: lessons, or hand-written pages."""

    title: str
    lessons: tuple[Lesson, ...] = ()
    pages: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FrontPage:
    """What a generated front page says and shows besides the lessons.

    Parameters
    ----------
    lead : str
        What the course is, in Markdown.
    start : str
        How to start, as one line of a shell.
    picture : str
        Id of the lesson whose figure it shows; empty for none.
    figure : int
        Which of that lesson's figures, from 1.
    """

    lead: str = ""
    start: str = ""
    picture: str = ""
    figure: int = 1


@dataclass(frozen=True, kw_only=True)
class LiteWish:
    """Whether a course wants its lessons to run in the browser, in JupyterLite.

    Parameters
    ----------
    enabled : bool
        Whether it does.
    pyodide : str
        The folder with Pyodide, its lock file and wheels, relative to the course's.
    """

    enabled: bool = False
    pyodide: str = ""


@dataclass(frozen=True, kw_only=True)
class Course:
    """The syllabus: which lessons, in which order.

    Parameters
    ----------
    title : str
        The name of the course.
    folder : pathlib.Path
        Where ``_config.yml`` and ``book/`` lie.
    parts : tuple of Part
        In the order of the site.
    limits : Limits
        Time limits for lessons that have none of their own.
    policy : Policy
        What students may see of solutions, and when.
    front : FrontPage
        Of the front page, where the course has not written one itself.
    licence : str
        The terms of its lessons and pages: an SPDX identifier, an address, or words.
    citation : Citation or None
        How it wants to be cited, where it says so.
    redirects : mapping of str to str or False
        Where a page is found that once had another name; False where it is gone on purpose. Names
        are those of pages, without their ending.
    lite : LiteWish
        Of JupyterLite.
    findings : tuple of Finding
        What is wrong with the syllabus.
    """

    title: str
    folder: Path
    parts: tuple[Part, ...]
    limits: Limits = field(default_factory=Limits)
    policy: Policy = field(default_factory=Policy)
    front: FrontPage = field(default_factory=FrontPage)
    licence: str = ""
    citation: Citation | None = None
    redirects: Mapping[str, str | Literal[False]] = field(default_factory=dict, hash=False)
    lite: LiteWish = field(default_factory=LiteWish)
    findings: tuple[Finding, ...] = ()

    @property
    def lessons(self) -> tuple[Lesson, ...]:
        """All lessons in course order."""
        return tuple(lesson for part in self.parts for lesson in part.lessons)


@dataclass(frozen=True, kw_only=True)
class ExecutionResult:
    """What came out of running a lesson once; a failure is a value, not an exception.

    Parameters
    ----------
    lesson : Lesson
        The lesson that ran.
    source : nbformat.NotebookNode or None
        The notebook as it was read; None when it could not be.
    notebook : nbformat.NotebookNode or None
        The notebook with the outputs it got as far as it ran; None when it could not be read.
    failure : Finding or None
        Why it stopped, if it did not reach its end.
    why_plain : str
        Why the kernel was started from nothing where it might have been forked; else empty.
    start_s, duration_s : float
        Time until the kernel answered, and of everything, in seconds.
    cell_durations_s : mapping of int to float
        Time of each code cell that was started, by its number from 1.
    peak_bytes : int
        Most memory of their own that the kernel and what it started held at once.
    cpu_s : float
        Processor time, in seconds.
    proofs : tuple of ProofOutcome
        What the proof of each exercise has shown, in the order of their cells.
    proof_s : float
        Of `duration_s`, what the proofs took.
    imported : mapping of str to str or None
        File of each module that the kernel had imported at the end; None if it could not tell.
    distributions : tuple of str
        Names of the distributions whose code it had imported at the end; those that bring plugins
        are not among them.
    interpreter : str
        Version of the Python that ran the lesson.
    figure_data : mapping of int to tuple of str
        The data behind the figures of each golden cell, by its number, as lines of text.
    cached : bool
        Whether an earlier run stands in for this one, since nothing it depends on has changed.
        All figures are those of that run. Where nothing at all had to be done, it has no notebook.
    reason : str
        Why the lesson ran, or need not; empty if nobody has asked.
    """

    lesson: Lesson
    source: "NotebookNode | None" = None
    notebook: "NotebookNode | None" = None
    failure: Finding | None = None
    why_plain: str = ""
    start_s: float = 0.0
    duration_s: float = 0.0
    cell_durations_s: Mapping[int, float] = field(default_factory=dict)
    peak_bytes: int = 0
    cpu_s: float = 0.0
    proofs: tuple[ProofOutcome, ...] = ()
    proof_s: float = 0.0
    imported: Mapping[str, str] | None = None
    distributions: tuple[str, ...] = ()
    interpreter: str = ""
    figure_data: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    cached: bool = False
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class ValidationReport:
    """What was found in one lesson's source and run."""

    result: ExecutionResult
    findings: tuple[Finding, ...]

    @property
    def lesson(self) -> Lesson:
        """The lesson that was validated."""
        return self.result.lesson

    @property
    def passed(self) -> bool:
        """Whether the lesson may be published."""
        return not self.findings
