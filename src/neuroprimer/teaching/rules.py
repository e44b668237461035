"""The numbered rules that plugins, the course, lessons and the built site are held to.

Hundreds say who is at fault: NP0 a plugin, NP1 the course, NP2 a lesson's source, NP3 a
lesson's run, NP4 the built site. A number is never used again for another rule.
"""

from dataclasses import dataclass

RULES_PAGE = "developing/rules"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One thing that is checked, and how to mend it.

    Parameters
    ----------
    code : str
        NP and three digits.
    title : str
        What is wrong when the rule is broken, as a sentence without its full stop.
    fix : str
        What the author does about it.
    """

    code: str
    title: str
    fix: str

    @property
    def page(self) -> str:
        """Where the book explains the rule, relative to the site's root."""
        return f"{RULES_PAGE}.html#{self.code.lower()}"


def _rules(*rules: tuple[str, str, str]) -> dict[str, Rule]:
    return {code: Rule(code=code, title=title, fix=fix) for code, title, fix in rules}


RULES = _rules(
    (
        "NP001",
        "A plugin cannot be loaded",
        "Run `python -c 'import MODULE'` with the named module, or uninstall the plugin.",
    ),
    (
        "NP002",
        "A plugin's hook raises",
        "Mend what the message names; the hook must return without an error.",
    ),
    (
        "NP003",
        "A plugin implements a hook that would never be called",
        "Correct the spelling or add `@hookimpl`; `neuroprimer plugins doctor` lists the hooks.",
    ),
    (
        "NP004",
        "A plugin's hook returns something else than it should",
        "Return what the hook's signature in the book says.",
    ),
    (
        "NP005",
        "Two plugins bring the same id",
        "Rename one of the two, or block one plugin with `--block-plugin`.",
    ),
    (
        "NP006",
        "A plugin was written for another version of the plugin interface",
        "Install the release of the plugin that fits this neuroprimer.",
    ),
    (
        "NP101",
        "The syllabus names a lesson that no plugin brings",
        "Correct the id in `course.toml`, or install the plugin that brings the lesson.",
    ),
    (
        "NP102",
        "A lesson names a prerequisite that no plugin brings",
        "Correct the id in the lesson's metadata, or install the plugin that brings it.",
    ),
    (
        "NP103",
        "Lessons are prerequisites of each other in a circle",
        "Take one of the named prerequisites out of its lesson's metadata.",
    ),
    (
        "NP104",
        "A lesson stands before its own prerequisite in the syllabus, or without it",
        "Add the prerequisite to `course.toml`, in front, or take it out of the lesson.",
    ),
    (
        "NP105",
        "A lesson names a dataset that no plugin brings",
        "Correct the id in the lesson's metadata, or register the dataset in a plugin.",
    ),
    (
        "NP106",
        "The syllabus names a lesson or a page twice",
        "Keep it in one part of `course.toml`.",
    ),
    (
        "NP107",
        "The syllabus names a page that does not exist",
        "Write the page, or take its name out of `course.toml`.",
    ),
    (
        "NP108",
        "The front page is to show a figure that there is not",
        "Name a lesson of the course under `[front]` in `course.toml`, and one of its figures.",
    ),
    (
        "NP109",
        "The course's `CITATION.cff` does not say how to cite it",
        "Give it a title and authors, in YAML, or remove it; the site then has no such page.",
    ),
    (
        "NP201",
        "A lesson's file is not a notebook",
        "Write the lesson as MyST Markdown with code cells, or save it again from Jupyter.",
    ),
    (
        "NP202",
        "A lesson's source holds outputs of an earlier run",
        "Clear all outputs before you save; neuroprimer makes them new in every build.",
    ),
    (
        "NP203",
        "A lesson has no code to run",
        "Add a code cell; a page of prose alone belongs under `pages` in `course.toml`.",
    ),
    (
        "NP204",
        "An exercise cannot be tried",
        "Mend what the message names in the lesson's file of exercises.",
    ),
    (
        "NP205",
        "An exercise has no place in its lesson",
        "Put its solution between the markers and `lesson.check` below, in one cell.",
    ),
    (
        "NP206",
        "An exercise has fewer than two wrong answers",
        "Add code that students really write, with the feedback that it must earn.",
    ),
    (
        "NP207",
        "A hint or feedback gives the answer away",
        "Say where to look instead of what comes out.",
    ),
    (
        "NP208",
        "A cell says of `golden` what cannot be",
        "Correct the cell's metadata; the book's page on golden cells lists what they may hold.",
    ),
    (
        "NP301",
        "A cell raises an error",
        "Mend the cell, or tag it `raises-exception` when the error is what you teach.",
    ),
    (
        "NP302",
        "A cell runs longer than its time limit",
        "Make it faster, or raise `cell_timeout_s` in the lesson's metadata.",
    ),
    (
        "NP303",
        "A lesson runs longer than its time limit",
        "Shorten it, or raise `lesson_timeout_s` in the lesson's metadata.",
    ),
    (
        "NP304",
        "The kernel died while a cell was running",
        "Look for a crash in compiled code, for os._exit(), or for too little memory.",
    ),
    (
        "NP305",
        "The kernel of a lesson did not start",
        "Run `jupyter kernelspec list` and compare with the lesson's `kernelspec`.",
    ),
    (
        "NP306",
        "A cell tagged `raises-exception` raises nothing",
        "Take the tag off, or make the cell show the error it speaks of.",
    ),
    (
        "NP307",
        "A cell writes to standard error",
        "Mend what it warns about; tag the cell `stderr-expected` if you teach the warning.",
    ),
    (
        "NP308",
        "A figure has no text for those who cannot see it",
        "Say what it shows in the cell's metadata under `mystnb: image: alt:`.",
    ),
    (
        "NP309",
        "An output names a folder of the machine it ran on",
        "Print `path.name` instead of the whole path.",
    ),
    (
        "NP310",
        "A lesson holds more memory than it may",
        "Load less at a time, or raise `memory_mb` in the lesson's metadata.",
    ),
    (
        "NP311",
        "A lesson writes more than it may",
        "Print less, or raise `output_mb` under `[limits]` in `course.toml`.",
    ),
    (
        "NP312",
        "A lesson has more processes than it may",
        "Start fewer, or raise `processes` under `[limits]` in `course.toml`.",
    ),
    (
        "NP313",
        "A lesson has other outputs in a kernel of its own than in a forked one",
        "Look for what differs from run to run: the time of day, unseeded generators, sets.",
    ),
    (
        "NP314",
        "A lesson takes longer than its budget",
        "Make it faster, or raise `budget_s` in the lesson's metadata.",
    ),
    (
        "NP315",
        "No worker of the cluster could run a lesson to its end",
        "Look at the workers' logs: for too little memory, and for what the message names.",
    ),
    (
        "NP316",
        "A worker of the cluster has other code than the build",
        "Give the workers the environment of the build, and the same files of the course.",
    ),
    (
        "NP317",
        "The check of an exercise takes the stub for an answer",
        "Compare with what is computed from the data, and refuse everything else.",
    ),
    (
        "NP318",
        "The solution of an exercise does not pass its own check",
        "Mend the solution or the check.",
    ),
    (
        "NP319",
        "A wrong answer passes, or is told something else than it should",
        "Let the check tell this answer from others, or correct its expected words.",
    ),
    (
        "NP320",
        "A check lets a changed answer through",
        "Make the check stricter, or say under `harmless` why it may.",
    ),
    (
        "NP321",
        "A check fails instead of judging",
        "Let it look at the type and shape of an answer before it computes.",
    ),
    (
        "NP322",
        "A golden cell gives something else than is recorded",
        "Look at the page of differences; if they are meant, run "
        "`neuroprimer validate LESSON --update-golden`, else mend the lesson.",
    ),
    (
        "NP323",
        "A golden cell has no record",
        "Run `neuroprimer validate LESSON --update-golden`, and look at what it has recorded.",
    ),
    (
        "NP324",
        "The records of a lesson cannot be read",
        "Take the file back from your repository, or remove it and run "
        "`neuroprimer validate LESSON --update-golden`.",
    ),
    (
        "NP325",
        "A record belongs to no golden cell",
        "Tag the cell again, or run `neuroprimer validate LESSON --update-golden`.",
    ),
    (
        "NP326",
        "A golden cell gives nothing that could be compared",
        "Let the cell show a result, or take the tag `golden` off.",
    ),
    (
        "NP401",
        "A lesson has no page on the built site",
        "Look at what Jupyter Book said about it.",
    ),
    (
        "NP402",
        "An output of a lesson is missing from its page",
        "Look for a tag that hides it, or for a kind of output that Jupyter Book cannot show.",
    ),
    (
        "NP403",
        "A page shows an error that the lesson does not teach",
        "Rebuild; if it stays, look at what Jupyter Book said about the page.",
    ),
    (
        "NP404",
        "A file of the site names a folder of the machine that built it",
        "Find where the page says it and use a relative path.",
    ),
    (
        "NP405",
        "A link or an image of the site leads nowhere",
        "Correct the address, or add the missing page or anchor.",
    ),
    (
        "NP406",
        "The site's search does not know a lesson",
        "Look at what Jupyter Book said; searchindex.js may be damaged.",
    ),
    (
        "NP407",
        "Jupyter Book could not build the site without a complaint",
        "Mend what it names; its own words stand in the message.",
    ),
    (
        "NP408",
        "The site gives a solution, a wrong answer or a hidden test away",
        "Take it out of the file that the message names, or choose another `solutions` in "
        "`course.toml`.",
    ),
    (
        "NP409",
        "A page of the last site is gone",
        "Say where it is now under `[redirects]` in `course.toml`, or `false` if it is meant.",
    ),
    (
        "NP410",
        "A redirect leads nowhere, or from a page that exists",
        "Correct it under `[redirects]` in `course.toml`.",
    ),
    (
        "NP411",
        "A page would ask another host for something",
        "Put a copy of it into `book/` or into the lesson, or make it a link to click.",
    ),
)
