"""Terms: words of a course's glossary, explained where lessons use them.

A lesson need not name its course's glossary, and may be read in a course that has none.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from neuroprimer.teaching.publish.jupyter_book import LESSONS_FOLDER

# Words as short as "run" have other meanings; they are explained where they are set off: *run*.
SHORTEST_PLAIN = 4

# Where a word stands for itself, or already leads somewhere.
UNTOUCHED = (
    *(nodes.literal, nodes.literal_block, nodes.title, nodes.reference, nodes.raw, nodes.term),
    *(nodes.math, nodes.math_block, nodes.caption, nodes.rubric, nodes.topic),
)
# Outputs are what they are; the card at the head and the credits are no place to read on.
UNTOUCHED_CLASSES = frozenset({"cell_output", "neuroprimer-card"})
UNTOUCHED_SECTIONS = frozenset({"credits"})


@dataclass(frozen=True, kw_only=True)
class Term:
    """An entry of a glossary.

    Parameters
    ----------
    name : str
        The word or words.
    page, anchor : str
        Where it is explained.
    definition : str
        The explanation as plain text.
    """

    name: str
    page: str
    anchor: str
    definition: str


def forms_of(name: str) -> tuple[str, ...]:
    """Return the ways in which a term is written in a sentence.

    Examples
    --------
    >>> forms_of("affine")
    ('affine', 'affines', 'Affine', 'Affines')
    >>> forms_of("entity")
    ('entity', 'entities', 'Entity', 'Entities')
    >>> forms_of("FWHM")
    ('FWHM',)
    """
    if not name[-1:].islower():
        return (name,)
    plural = f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"
    forms = (name, plural)
    return tuple(dict.fromkeys((*forms, *(form[0].upper() + form[1:] for form in forms))))


class Glossary:
    """The terms of a book; made once for each build."""

    def __init__(self) -> None:
        self.terms: Mapping[str, Term] = {}  # by form
        self.pattern: re.Pattern[str] | None = None

    def read(self, _app: Sphinx, env: BuildEnvironment) -> None:
        """Read the terms, after Sphinx has read all pages."""
        terms = list(_terms_of(env))
        self.terms = {form: term for term in terms for form in forms_of(term.name)}
        longest_first = sorted(self.terms, key=lambda form: (-len(form), form))
        if longest_first:
            words = "|".join(map(re.escape, longest_first))
            self.pattern = re.compile(rf"(?<![\w-])(?:{words})(?![\w-])")

    def explain(self, app: Sphinx, doctree: nodes.document, page: str) -> None:
        """Give each reference to a term its definition, and each lesson references."""
        if self.pattern is None:
            return
        link = _Linker(app, page)
        by_anchor = {term.anchor: term for term in self.terms.values()}
        for reference in list(doctree.findall(nodes.reference)):
            anchor = reference.get("refuri", "").rpartition("#")[2] or reference.get("refid", "")
            if anchor in by_anchor and reference.get("internal"):
                reference.replace_self(link(by_anchor[anchor], reference.astext()))
        if page.startswith(f"{LESSONS_FOLDER}/"):
            self._link_first_mentions(doctree, link)

    def _link_first_mentions(self, doctree: nodes.document, link: "_Linker") -> None:
        """Link each term once: where it is set off, or else where it is first used."""
        seen: set[str] = set()
        for kind in (nodes.strong, nodes.emphasis):
            for node in list(doctree.findall(kind)):
                term = self.terms.get(node.astext())
                if term and term.name not in seen and _is_prose(node):
                    seen.add(term.name)
                    words = node.astext()
                    node.clear()
                    node += link(term, words)
        for text in list(doctree.findall(nodes.Text)):
            if _is_prose(text):
                pieces = list(self._pieces(text.astext(), seen, link))
                if len(pieces) > 1:
                    text.parent.replace(text, pieces)

    def _pieces(self, text: str, seen: set[str], link: "_Linker") -> Iterator[nodes.Node]:
        """Yield a text with the terms in it that were not seen yet as links."""
        assert self.pattern is not None  # noqa: S101  for mypy: explain() has seen to it
        end = 0
        for match in self.pattern.finditer(text):
            term = self.terms[match[0]]
            if term.name in seen or (len(term.name) < SHORTEST_PLAIN and term.name.islower()):
                continue
            seen.add(term.name)
            yield nodes.Text(text[end : match.start()])
            yield link(term, match[0])
            end = match.end()
        yield nodes.Text(text[end:])


class _Linker:
    """Writes links from one page to terms."""

    def __init__(self, app: Sphinx, page: str) -> None:
        self.app, self.page = app, page

    def __call__(self, term: Term, words: str) -> nodes.raw:
        address = f"{self.app.builder.get_relative_uri(self.page, term.page)}#{term.anchor}"
        markup = (
            f'<a class="neuroprimer-term" href="{escape(address)}" '
            f'data-definition="{escape(term.definition)}">{escape(words)}</a>'
        )
        return nodes.raw("", markup, format="html")


def _terms_of(env: BuildEnvironment) -> Iterator[Term]:
    """Yield the terms of all glossaries of a book."""
    found = [one for one in env.get_domain("std").get_objects() if one[2] == "term"]
    for page in sorted({one[3] for one in found}):
        for item in env.get_doctree(page).findall(nodes.definition_list_item):
            definition = " ".join(
                part.astext() for part in item.children if isinstance(part, nodes.definition)
            )
            for term in item.children:
                if isinstance(term, nodes.term) and term["ids"]:
                    yield Term(
                        name=term.astext(),
                        page=page,
                        anchor=term["ids"][0],
                        definition=" ".join(definition.split()),
                    )


def _is_prose(node: nodes.Node) -> bool:
    """Tell whether a node stands in a sentence of a lesson."""
    in_paragraph = False
    above = node.parent
    while above is not None:
        if (
            isinstance(above, UNTOUCHED)
            or UNTOUCHED_CLASSES & set(above.get("classes", ()))
            or UNTOUCHED_SECTIONS & set(above.get("ids", ()))
        ):
            return False
        in_paragraph = in_paragraph or isinstance(above, nodes.paragraph)
        above = above.parent
    return in_paragraph
