"""Markdown as mystmd reads it, from the Markdown that Sphinx reads."""

import re

# From a fence to the next that is as long; the ones inside are shorter.
BLOCK = re.compile(
    r"^(?P<fence>`{3,}|~{3,})(?:\{(?P<directive>[\w-]+)\})?(?P<argument>[^\n]*)\n"
    r"(?P<body>.*?)^(?P=fence)[ ]*$\n?",
    re.MULTILINE | re.DOTALL,
)
OPTIONS = re.compile(r"\A(?::[\w-]+:[^\n]*\n)*\s*")
# Of the tool that draws cards and grids for Sphinx.
UNKNOWN_OPTION = re.compile(r"^:(?:class-card|gutter|link-type|ref-type):[^\n]*\n", re.MULTILINE)
# Words, each on a line of its own, and below them what they mean, indented.
ENTRY = re.compile(
    r"(?P<terms>(?:^\S[^\n]*\n)+)(?P<definition>(?:^[ \t]+[^\n]*\n|\n)+)", re.MULTILINE
)
CONTAINER = re.compile(r"^(:{3,}|`{3,})\{container\} *(.*)$", re.MULTILINE)
PAGE_ROLE = re.compile(r"\{doc\}`(?:([^`<]+?) *<([^`>]+)>|([^`]+))`")

# mystmd asks the network what stands behind an address of doi.org. A DOI is a handle, and the
# service for all handles leads to the same place.
DOI_SERVICE = r"https?://(?:dx\.|www\.)?doi\.org/"
HANDLE_SERVICE = "https://hdl.handle.net/"
DOI_LINK = re.compile(rf"(?:(?<=\]\()|(?<=\]: )){DOI_SERVICE}")
DOI_ADDRESS = re.compile(rf"<({DOI_SERVICE}([^>\s]+))>")


def as_mystmd(markdown: str) -> str:
    r"""Return Markdown that says the same to mystmd.

    Parameters
    ----------
    markdown : str
        May use the directives that neuroprimer's own pages use, and a glossary. Code is left as
        it is; HTML that only a website shows is left out.

    Examples
    --------
    >>> as_mystmd("{doc}`/lessons/first`, [2004](https://doi.org/10.1126/science.1)")
    '[](/lessons/first), [2004](https://hdl.handle.net/10.1126/science.1)'
    >>> print(as_mystmd("```{glossary}\naffine\n  A matrix.\n\n  It has 16 numbers.\n```"))
    ```{glossary}
    affine
    : A matrix.
    <BLANKLINE>
      It has 16 numbers.
    ```
    """
    pieces = []
    end = 0
    for block in BLOCK.finditer(markdown):
        pieces += [_prose(markdown[end : block.start()]), _block(block)]
        end = block.end()
    return "".join([*pieces, _prose(markdown[end:])])


def _block(block: re.Match[str]) -> str:
    """Return a fenced block: code as it is, what a directive holds as any other Markdown."""
    directive, body, whole = block["directive"], block["body"], block[0]
    if directive in (None, "code-cell", "code-block"):
        return whole
    if directive == "raw":
        return ""
    if directive == "button-ref":
        return f"[{OPTIONS.sub('', body).strip()}]({block['argument'].strip()})\n"
    inside = _definitions(body) if directive == "glossary" else as_mystmd(body)
    head = _prose(whole[: block.start("body") - block.start()])
    return head + inside + whole[block.end("body") - block.start() :]


def _prose(text: str) -> str:
    text = UNKNOWN_OPTION.sub("", CONTAINER.sub(r"\1{div}\n:class: \2", text))
    text = PAGE_ROLE.sub(lambda role: f"[{role[1] or ''}]({role[2] or role[3]})", text)
    text = DOI_ADDRESS.sub(rf"[\1]({HANDLE_SERVICE}\2)", text)
    return DOI_LINK.sub(HANDLE_SERVICE, text)


def _definitions(body: str) -> str:
    """Return the entries of a glossary as the definition lists that mystmd wants."""
    return "\n".join(
        f"{term}\n: {as_mystmd(entry['definition']).strip()}\n"
        for entry in ENTRY.finditer(OPTIONS.sub("", body))
        for term in entry["terms"].splitlines()  # each needs a definition of its own there
    )
