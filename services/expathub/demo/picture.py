"""The final view as an SVG file, for a README: no address in it that a browser would fetch."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console, RenderableType
from rich.rule import Rule
from rich.terminal_theme import TerminalTheme

from expathub.demo.run import Outcome
from expathub.demo.summary import verdict
from expathub.demo.view import QUIET, View

WIDTH, HEIGHT = 100, 40

THEME = TerminalTheme(
    background=(250, 250, 248),
    foreground=(34, 34, 34),
    normal=[
        (34, 34, 34),
        (176, 32, 32),
        (24, 112, 56),
        (140, 90, 0),
        (32, 80, 160),
        (120, 40, 130),
        (0, 105, 120),
        (90, 90, 90),
    ],
    bright=[
        (105, 105, 105),
        (176, 32, 32),
        (24, 112, 56),
        (140, 90, 0),
        (32, 80, 160),
        (120, 40, 130),
        (0, 105, 120),
        (34, 34, 34),
    ],
)
"""Dark on light, each colour with a contrast of at least 4.5 to 1 (WCAG 2.2, 1.4.3)."""

FORMAT = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; }}
.{unique_id}-title {{ font-family: Arial, sans-serif; font-size: 18px; font-weight: bold; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
"""Rich's own format names a font on the web; this one uses what the reader has."""


def parts(outcome: Outcome) -> list[RenderableType]:
    """Return what the picture shows: the last frame, and the verdict."""
    view = View(outcome.board, len(outcome.board.script.publications))
    view.seconds = outcome.seconds
    return [view, Rule("the verdict", style=QUIET, align="left"), verdict(outcome)]


def save(parts: list[RenderableType], file: Path) -> None:
    """Draw the parts below each other and write the picture; raises `OSError`."""
    console = Console(
        record=True,
        width=WIDTH,
        height=HEIGHT,
        file=io.StringIO(),
        force_terminal=True,
        color_system="standard",
        legacy_windows=False,
    )
    console.print(*parts, sep="\n")
    text = console.export_svg(title="expathub demo", theme=THEME, code_format=FORMAT, unique_id="expathub-demo")
    file.write_text(text, "utf-8")
