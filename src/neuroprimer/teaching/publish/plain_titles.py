"""Plain titles: what is left of a line of Markdown where none can be shown."""

import re

ROLE = re.compile(r"\{[\w:-]+\}(?=`)")
LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
MARK = re.compile(r"[*`]|(?<!\w)_+|_+(?!\w)")


def plain_title(markdown: str) -> str:
    r"""Return a title without marks.

    Parameters
    ----------
    markdown : str
        One line.

    Examples
    --------
    >>> plain_title("The *second* `lesson_2` of H{sub}`2`O, by [Ada](https://example.org)")
    'The second lesson_2 of H2O, by Ada'
    """
    return MARK.sub("", LINK.sub(r"\1", ROLE.sub("", markdown)))
