"""A page as a list of blocks, and the two ways to write it: Markdown, and HTML that works without scripts or styles.

The HTML keeps to WCAG 2.2: one language on the root, headings in order, tables with captions and header cells.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of a level from 1."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph; with `label` it begins with that, set apart."""

    text: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table; the first cell of each row is its header, and a cell may have several lines."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Code:
    """Text to be shown as it is."""

    text: str
    language: str


Block: TypeAlias = Heading | Paragraph | Table | Code


def markdown(blocks: Iterable[Block]) -> str:
    """Write blocks as Markdown."""
    return "\n\n".join(map(_markdown, blocks)) + "\n"


def _markdown(block: Block) -> str:
    if isinstance(block, Heading):
        return f"{'#' * block.level} {block.text}"
    if isinstance(block, Paragraph):
        return f"**{block.label}:** {block.text}" if block.label else block.text
    if isinstance(block, Code):
        return f"```{block.language}\n{block.text}\n```"
    rows = [block.head, ["---"] * len(block.head), *block.rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", "<br>") for cell in row) + " |" for row in rows
    )


def html(blocks: Sequence[Block], language: str, title: str) -> str:
    """Write blocks as one HTML document."""
    body = "\n".join(map(_html, blocks))
    return (
        f'<!doctype html>\n<html lang="{escape(language)}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{escape(title)}</title>\n'
        f"{_STYLE}\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


_STYLE = (
    "<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:75rem;margin:auto;padding:1rem;color:#1a1a1a}"
    "table{border-collapse:collapse;margin:1rem 0}caption{text-align:left;font-weight:bold}"
    "th,td{border:1px solid #767676;padding:.25rem .5rem;text-align:left;vertical-align:top}"
    "pre{overflow:auto;background:#f3f3f3;padding:.5rem}</style>"
)


def _html(block: Block) -> str:
    if isinstance(block, Heading):
        return f"<h{block.level}>{escape(block.text)}</h{block.level}>"
    if isinstance(block, Paragraph):
        label = f"<strong>{escape(block.label)}:</strong> " if block.label else ""
        return f"<p>{label}{escape(block.text)}</p>"
    if isinstance(block, Code):
        return f'<pre tabindex="0"><code>{escape(block.text)}</code></pre>'
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in block.head)
    rows = "\n".join(f"<tr>{_cells(row)}</tr>" for row in block.rows)
    caption = f"<caption>{escape(block.caption)}</caption>"
    return f"<table>{caption}\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table>"


def _cells(row: Sequence[str]) -> str:
    first, *rest = (escape(cell).replace("\n", "<br>") for cell in row)
    return f'<th scope="row">{first}</th>' + "".join(f"<td>{cell}</td>" for cell in rest)
