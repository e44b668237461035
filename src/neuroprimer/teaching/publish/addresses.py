"""Addresses: a page that others may link to stays where it is, or says where it has gone."""

from collections.abc import Iterator
from pathlib import Path

from neuroprimer.teaching.course import SYLLABUS
from neuroprimer.teaching.model import Course, Finding
from neuroprimer.teaching.publish.redirects import write_redirect

# Lies in a site and names its pages, and those that it goes without though an earlier one had them.
# What somebody else has put into the site is no page of ours.
KNOWN = ".addresses-of-neuroprimer"


def keep_addresses(html: Path, last: Path, course: Course, *, strict: bool) -> tuple[Finding, ...]:
    """Write the redirects of a course, and compare its pages with those of the last site.

    Parameters
    ----------
    html : pathlib.Path
        The folder with the finished pages.
    last : pathlib.Path
        The site that is to be replaced; it need not exist.
    course : Course
        Says which pages have moved or are gone on purpose.
    strict : bool
        Whether a page that is gone is a finding. Otherwise the new site keeps it in mind, so that
        the next strict build asks for it.

    Returns
    -------
    findings : tuple of Finding
        Of redirects that lead nowhere, and pages that are gone.
    """
    there = page_names(html)
    moved = {name: target for name, target in course.redirects.items() if target is not False}
    findings = []
    for name, target in moved.items():
        problem = _redirect_problem(name, target, there)
        if not problem:
            write_redirect(html, name, target)
        elif strict:
            findings.append(Finding(rule="NP410", subject=SYLLABUS, message=problem))
    # a redirect that leads nowhere is one finding, not two
    told = {name for name, target in course.redirects.items() if strict or target is False}
    pages = page_names(html)
    gone = known_pages(last) - pages - told
    (html / KNOWN).write_text(
        "".join(f"{name}\n" for name in sorted(pages | gone)), encoding="utf-8"
    )
    if strict:
        findings += [
            Finding(rule="NP409", subject=f"{name}.html", message=_words_on(name))
            for name in sorted(gone)
        ]
    return tuple(findings)


def page_names(site: Path) -> frozenset[str]:
    """Return the names of all pages of a site, redirects among them, without their ending.

    Parameters
    ----------
    site : pathlib.Path
        Without pages where it does not exist. Folders that begin with an underscore hold none.
    """
    return frozenset(_page_names(site))


def known_pages(site: Path) -> frozenset[str]:
    """Return the names of the pages that a site has, or goes without though an earlier one had."""
    try:
        return frozenset((site / KNOWN).read_text(encoding="utf-8").splitlines())
    except OSError:  # there is none, or it is of a time before such records
        return page_names(site)


def owed_pages(site: Path) -> frozenset[str]:
    """Return the names of the pages that earlier sites had and that this one goes without."""
    return known_pages(site) - page_names(site)


def _page_names(site: Path) -> Iterator[str]:
    for file in site.rglob("*.html"):
        name = file.relative_to(site).with_suffix("").as_posix()
        if not name.startswith("_"):
            yield name


def _redirect_problem(name: str, target: str, there: frozenset[str]) -> str:
    if name in there:
        return f"{name!r} is a page of this site, and cannot lead to {target!r}."
    if target not in there:
        return f"{name!r} is to lead to {target!r}, which is no page of this site."
    return ""


def _words_on(name: str) -> str:
    return (
        "the site that this one would replace has it. "
        f'Say "{name}" = "where it is now" under [redirects] in {SYLLABUS}, or "{name}" = false.'
    )
