"""Citations: how a course wants to be cited, as its ``CITATION.cff`` says, and its lessons."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from neuroprimer.errors import NeuroprimerError

CITATION_FILE = "CITATION.cff"

# What BibTeX would take for something else.
SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{mark: f"\\{mark}" for mark in "&%$#_{}"},
}


class CitationError(NeuroprimerError, ValueError):
    """A ``CITATION.cff`` from which no citation can be made."""


@dataclass(frozen=True, kw_only=True)
class Author:
    """Who has made something.

    Parameters
    ----------
    name : str
        As it is read: ``"Ada Lovelace"``.
    family, given : str
        The parts of a person's name, where they are known.
    is_group : bool
        Whether it is no person.
    """

    name: str
    family: str = ""
    given: str = ""
    is_group: bool = False

    @property
    def as_bibtex(self) -> str:
        """The name as BibTeX reads it; braces keep that of a group in one piece."""
        if self.family and self.given:
            return f"{_escaped(self.family)}, {_escaped(self.given)}"
        return f"{{{_escaped(self.name)}}}" if self.is_group else _escaped(self.name)


@dataclass(frozen=True, kw_only=True)
class Citation:
    r"""How to cite something.

    Parameters
    ----------
    title : str
        Of what is cited.
    authors : tuple of Author
        Who has made it.
    version, year, doi, url, licence : str
        Empty where nothing is known.
    within : str
        What it is a part of; empty for a whole.

    Examples
    --------
    >>> ada = Author(name="Ada Lovelace", family="Lovelace", given="Ada")
    >>> group = Author(name="Boxes & Co", is_group=True)
    >>> citation = Citation(title="Boxes", authors=(ada, group), version="2", year="2026")
    >>> print(citation.sentence)
    Ada Lovelace, Boxes & Co (2026). Boxes. Version 2.
    >>> print(citation.as_bibtex("boxes"))
    @misc{boxes,
      title = {{Boxes}},
      author = {Lovelace, Ada and {Boxes \& Co}},
      year = {2026},
      note = {Version 2},
    }
    """

    title: str
    authors: tuple[Author, ...]
    version: str = ""
    year: str = ""
    doi: str = ""
    url: str = ""
    licence: str = ""
    within: str = ""

    @property
    def address(self) -> str:
        """Where it is found; empty where nobody knows."""
        return f"https://doi.org/{self.doi}" if self.doi else self.url

    @property
    def sentence(self) -> str:
        """The citation in words."""
        names = ", ".join(author.name for author in self.authors)
        parts = (f"{names} ({self.year})" if self.year else names, self.title, self._note)
        ended = [one if one.endswith((".", "?", "!")) else f"{one}." for one in parts if one]
        return " ".join([*ended, self.address]).strip()

    def as_bibtex(self, key: str) -> str:
        """Return the citation as an entry for BibTeX.

        Parameters
        ----------
        key : str
            By which a text refers to it.
        """
        fields = {
            "title": f"{{{_escaped(self.title)}}}",  # braces keep its capitals
            "author": " and ".join(author.as_bibtex for author in self.authors),
            "year": _escaped(self.year),
            "note": _escaped(self._note),
            "doi": self.doi,
            "url": "" if self.doi else self.url,
        }
        lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
        return "\n".join([f"@misc{{{key},", *lines, "}"])

    @property
    def _note(self) -> str:
        version = f"Version {self.version}" if self.version else ""
        return ". ".join(filter(None, [version, f"In: {self.within}" if self.within else ""]))


def find_citation(folder: Path) -> Citation | None:
    """Read how to cite what lies in a folder.

    Parameters
    ----------
    folder : pathlib.Path
        May hold a ``CITATION.cff``.

    Returns
    -------
    citation : Citation or None
        None where there is no such file.

    Raises
    ------
    CitationError
        If the file is no YAML, or lacks a title or authors.
    """
    try:
        # every value as the text that stands there: 1.10 is no number, a date no date
        content = yaml.load(
            (folder / CITATION_FILE).read_text(encoding="utf-8"),
            Loader=yaml.BaseLoader,  # noqa: S506  # the safest there is: it makes texts only
        )
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise _error(f"it cannot be read as YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise _error(f"it should hold 'name: value' pairs, but is a {type(content).__name__}")
    authors = content.get("authors")
    if not isinstance(authors, list) or not authors:
        raise _error("it names no authors")
    licence = content.get("license", "")  # several are to be chosen from
    return Citation(
        title=_text(content, "title", required=True),
        authors=tuple(map(_author, authors)),
        version=_text(content, "version"),
        year=_text(content, "date-released")[:4],
        doi=_text(content, "doi"),
        url=_text(content, "url"),
        licence=" OR ".join(map(str, licence))
        if isinstance(licence, list)
        else _text(content, "license"),
    )


def find_author(name: str, known: Sequence[Author]) -> Author:
    """Return what is known of somebody, or at least the name."""
    return next((one for one in known if one.name == name), Author(name=name))


def _author(entry: Any) -> Author:
    """Return an author of a file: a person with parts of a name, or a group with one name."""
    if not isinstance(entry, dict):
        raise _error(f"an author should have a name, but is {entry!r}")
    if "name" in entry:
        return Author(name=_text(entry, "name", required=True), is_group=True)
    parts = (_text(entry, key) for key in ("name-particle", "family-names", "name-suffix"))
    family = " ".join(filter(None, parts))
    given = _text(entry, "given-names")
    name = " ".join(filter(None, [given, family])) or _text(entry, "alias")
    if not name:
        raise _error("an author has neither 'name' nor 'family-names' and 'given-names'")
    return Author(name=name, family=family, given=given)


def _text(content: dict[str, Any], key: str, *, required: bool = False) -> str:
    value = content.get(key, "")
    if not isinstance(value, str) or (required and not value.strip()):
        raise _error(f"its {key} should be a text, but is {value!r}")
    return " ".join(value.split())


def _error(problem: str) -> CitationError:
    return CitationError(
        f"{CITATION_FILE} does not say how to cite this course: {problem}.",
        hint="It is a YAML file that has at least a title and authors.",
    )


def _escaped(text: str) -> str:
    return re.sub(r"[\\~^&%$#_{}]", lambda match: SPECIAL[match[0]], text)
