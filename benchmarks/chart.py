"""Horizontal bars with their range, as an SVG file: no plotting library, no font from the web, readable without colour.

Bars of one group stand together; the value is written beside each bar, so the picture says no more than its table.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, LABEL, VALUE = 860, 250, 190
BAR, GAP, GROUP_GAP, TOP = 16, 4, 14, 64
COLOURS = ("#1f5fa8", "#8a5a00", "#5a5a5a", "#a03050")
"""Each at least 4.5 to 1 on white (WCAG 2.2, 1.4.3)."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: what it is, which colour of `COLOURS` it has, its length, and the range of what was measured."""

    label: str
    colour: int
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart; `limit` draws a line that bars should not cross. `logarithmic` is for bars of very different lengths."""

    title: str
    unit: str
    groups: Sequence[tuple[str, Sequence[Bar]]]
    limit: float | None = None
    logarithmic: bool = False

    def svg(self) -> str:
        """Draw it."""
        rows = sum(len(bars) * (BAR + GAP) + GROUP_GAP for _, bars in self.groups)
        height = TOP + rows + 12
        parts = [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
                f'font-family="Arial, Helvetica, sans-serif" font-size="13">'
            ),
            f"<title>{escape(self.title)}</title>",
            f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
            f'<text x="12" y="24" font-size="16" font-weight="bold" fill="#222222">{escape(self.title)}</text>',
            f'<text x="12" y="44" fill="#444444">{escape(self._legend())}</text>',
        ]
        y = TOP
        for name, bars in self.groups:
            for number, bar in enumerate(bars):
                parts += self._bar(bar, y, name if number == 0 else "")
                y += BAR + GAP
            y += GROUP_GAP
        if self.limit is not None:
            x = self._x(self.limit)
            parts.append(
                f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 6}" y2="{height - 10}" stroke="#222222" '
                f'stroke-dasharray="4 3"/>'
            )
        return "\n".join([*parts, "</svg>", ""])

    def _legend(self) -> str:
        scale = ", logarithmic" if self.logarithmic else ""
        limit = f"; the dashed line is the most it may be: {self.limit:g}" if self.limit is not None else ""
        return f"{self.unit}{scale}; thin lines from the lowest to the highest round{limit}"

    def _x(self, value: float) -> float:
        highest = max([self.limit or 0.0, *(bar.high for _, bars in self.groups for bar in bars)])
        share = value / highest
        if self.logarithmic:
            lowest = min(bar.low for _, bars in self.groups for bar in bars) / 2
            share = max(0.0, math.log(value / lowest) / math.log(highest / lowest))
        return LABEL + share * (WIDTH - LABEL - VALUE)

    def _bar(self, bar: Bar, y: int, group: str) -> list[str]:
        colour, middle = COLOURS[bar.colour % len(COLOURS)], y + BAR / 2
        end, low, high = self._x(bar.value), self._x(bar.low), self._x(bar.high)
        label = f"{group} · {bar.label}" if group and bar.label else group or bar.label
        range_ = "" if bar.low == bar.high else f" ({bar.low:,.3g}–{bar.high:,.3g})"
        return [
            f'<text x="{LABEL - 8}" y="{middle + 4:.1f}" text-anchor="end" fill="#222222">{escape(label)}</text>',
            f'<rect x="{LABEL}" y="{y}" width="{max(1.0, end - LABEL):.1f}" height="{BAR}" fill="{colour}"/>',
            f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{middle:.1f}" y2="{middle:.1f}" stroke="#000000"/>',
            f'<text x="{max(end, high) + 6:.1f}" y="{middle + 4:.1f}" fill="#222222">{bar.value:,.3g}{range_}</text>',
        ]
