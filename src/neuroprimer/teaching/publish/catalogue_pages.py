"""Pages about what a course is made of: its data with their terms, and its plugins."""

from collections.abc import Sequence

from neuroprimer.teaching.catalogue import Catalogue
from neuroprimer.teaching.course import has_page
from neuroprimer.teaching.model import Course, Dataset

DATASETS_PAGE = "datasets"
PLUGINS_PAGE = "plugins"
SYNTHETIC_NOTE = "**synthetic**, made by a program and not measured in anybody"
MEASURED_NOTE = "measured in people"


def datasets_in(course: Course, catalogue: Catalogue) -> tuple[Dataset, ...]:
    """Return the datasets that the lessons of a course read, in the order of the lessons."""
    ids = dict.fromkeys(id_ for lesson in course.lessons for id_ in lesson.datasets)
    return tuple(catalogue.datasets[id_] for id_ in ids if id_ in catalogue.datasets)


def kind_of(dataset: Dataset) -> str:
    """Say whether data were measured or made up."""
    return SYNTHETIC_NOTE if dataset.is_synthetic else MEASURED_NOTE


def dataset_mention(dataset: Dataset, course: Course) -> str:
    """Return a dataset's title, as a link if the site has our page of datasets."""
    if has_page(course, DATASETS_PAGE):
        return dataset.title
    return f"[{dataset.title}](#{_anchor(dataset)})"


def plugin_words(name: str, catalogue: Catalogue) -> str:
    """Return a plugin's distribution and version, or its name where a file is all that it is."""
    origin = next((plugin.origin for plugin in catalogue.plugins if plugin.name == name), name)
    # a local plugin's origin is a path of the building machine
    return name if "/" in origin or "\\" in origin else origin


def datasets_page(course: Course, catalogue: Catalogue) -> str:
    """Return the source of the page about the data.

    Parameters
    ----------
    course : Course
        Whose lessons read them.
    catalogue : Catalogue
        Knows them.
    """
    datasets = datasets_in(course, catalogue)
    made_up = sum(dataset.is_synthetic for dataset in datasets)
    note = (
        f"\n\n:::{{note}}\n{made_up} of {len(datasets)} are **synthetic**: a program made them up, "
        "so that what is in them is known. Nothing that is found in them is a finding about "
        "people.\n:::"
        if made_up
        else ""
    )
    sections = "\n\n".join(_dataset_section(dataset, course) for dataset in datasets)
    head = "# The data of the lessons\n\nWhat the lessons read, and on which terms."
    return f"{head}{note}\n\n{sections}\n"


def plugins_page(course: Course, catalogue: Catalogue) -> str:
    """Return the source of the page about the plugins.

    Parameters
    ----------
    course : Course
        Tells which lessons have a page.
    catalogue : Catalogue
        Knows who brought what.
    """
    brought: dict[str, list[str]] = {}
    for lesson in course.lessons:
        mention = f"{{doc}}`/lessons/{lesson.id}`"
        brought.setdefault(catalogue.brought_by.get(lesson.id, ""), []).append(mention)
    loaded = [plugin.name for plugin in catalogue.plugins if plugin.state == "loaded"]
    sections = [
        _plugin_section(name, brought.get(name, ()), catalogue)
        for name in dict.fromkeys([*brought, *loaded])
        if name
    ]
    return (
        "# The plugins of this course\n\nLessons, data and ways to run them come from plugins. "
        "These were there when the site was built.\n\n" + "\n\n".join(sections) + "\n"
    )


def _anchor(dataset: Dataset) -> str:
    return f"dataset-{dataset.id}"


def _dataset_section(dataset: Dataset, course: Course) -> str:
    readers = [
        f"{{doc}}`/lessons/{lesson.id}`"
        for lesson in course.lessons
        if dataset.id in lesson.datasets
    ]
    facts = [
        f"**Kind:** {kind_of(dataset)}",
        f"**Licence:** {dataset.licence}",
        f"**Citation:** {dataset.citation}",
        f"**Size:** {dataset.size_mb:g} MB" if dataset.size_mb else "",
        f"**Id and version:** `{dataset.id}`, version {dataset.version}",
        f"**Read in:** {', '.join(readers)}",
    ]
    listed = "\n".join(f"- {fact}" for fact in filter(None, facts))
    return f"({_anchor(dataset)})=\n## {dataset.title}\n\n{dataset.description}\n\n{listed}"


def _plugin_section(name: str, lessons: Sequence[str], catalogue: Catalogue) -> str:
    words = plugin_words(name, catalogue)
    executors = [one.name for one in catalogue.executors.values() if one.plugin == name]
    facts = [
        f"**From:** {words if words != name else 'a file beside the course'}",
        f"**Lessons:** {', '.join(lessons)}" if lessons else "",
        f"**Ways to run lessons:** {', '.join(executors)}" if executors else "",
    ]
    return f"## {name}\n\n" + "\n".join(f"- {fact}" for fact in filter(None, facts))
