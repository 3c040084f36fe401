"""The page of evidence, made from the figures of a run: `python -m benchmarks.page [FILE.json]`.

Writes docs/evidence/performance.md: the words of benchmarks/performance.md, with a table in place of each
`<!-- figures: NAME -->` … `<!-- end -->`; and the charts and the figures themselves beside it.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import tables_of_text
from benchmarks.chart import Bar, Chart
from benchmarks.tables_of_text import NAMES
from benchmarks.verdict import P99_MS_MAX, RATIO_MAX

EVIDENCE = Path(__file__).parents[1] / "docs" / "evidence"
FIGURES, PAGE = EVIDENCE / "performance.json", EVIDENCE / "performance.md"
WORDS = Path(__file__).with_name("performance.md")

_BLOCK = re.compile(r"<!-- figures: ([a-z_]+) -->\n.*?<!-- end -->", re.DOTALL)


def fill(words: str, found: Mapping[str, Any]) -> str:
    """Return the page with the figures of a run; raises `KeyError` where it names a table that the run has not."""
    return _BLOCK.sub(lambda block: _text(block[1], found).rstrip("\n"), words)


def _text(name: str, found: Mapping[str, Any]) -> str:
    if name == "conditions":
        return _conditions(found["conditions"])
    if name == "held_to":
        return tables_of_text.held_to(found["held_to"])
    _, show = tables_of_text.TITLES[name]
    return show(found["sections"][name])


def _conditions(of: Mapping[str, Any]) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in of["versions"].items())
    rows = [
        ["date (UTC), commit", f"{of['date'][:16].replace('T', ' ')}, {of['commit']}"],
        ["machine", f"{of['machine']}, {of['cores']} cores, load before {of['load_before']}"],
        ["broker", f"Apache Kafka {of['kafka']}, one node, loopback, on the same cores"],
        ["Python, libraries", f"{of['python']}; {versions}"],
    ]
    return tables_of_text.table(("conditions", ""), rows)


def charts(found: Mapping[str, Any]) -> dict[str, str]:
    """Draw the charts: file name to SVG."""
    made, sections = {}, found["sections"]
    if "cost" in sections:
        made["performance-cost.svg"] = _of_cost(sections["cost"]).svg()
        made["performance-ratio.svg"] = _of_ratio(sections["cost"]).svg()
    if "latency" in sections:
        made["performance-latency.svg"] = _of_latency(sections["latency"]).svg()
    growing = [name for name in ("recipients", "size", "dossiers") if name in sections]
    if growing:
        made["performance-growth.svg"] = _of_growth({name: sections[name] for name in growing}).svg()
    return made


def _bar(label: str, colour: int, figure: Mapping[str, float]) -> Bar:
    return Bar(label, colour, figure["median"], figure["low"], figure["high"])


def _of_cost(found: Mapping[str, Any]) -> Chart:
    groups = [
        (stage, [_bar(NAMES[way], number, ways["cpu_us"]) for number, (way, ways) in enumerate(found[stage].items())])
        for stage in ("intake", "dispatch")
    ]
    return Chart("CPU of one event", "microseconds", groups, logarithmic=True)


def _of_ratio(found: Mapping[str, Any]) -> Chart:
    groups = [(stage, [_bar("the hub", 0, found[stage]["engine"]["ratio"])]) for stage in ("intake", "dispatch")]
    return Chart("The hub against a loop written by hand", "CPU, times the loop", groups, limit=RATIO_MAX)


def _of_latency(found: Sequence[Mapping[str, Any]]) -> Chart:
    groups = [
        (f"{one['rate']:g} events/s", [Bar(name, 0, one[name], one[name], one[name]) for name in ("p50", "p90", "p99")])
        for one in found
    ]
    return Chart("Publish to inbox", "milliseconds", groups, limit=P99_MS_MAX)


_SAYS = {
    "recipients": lambda one: f"{one['recipients']} told",
    "size": lambda one: f"{one['bytes'] / 1024:.1f} KiB",
    "dossiers": lambda one: f"{one['dossiers']:,} known",
}


def _of_growth(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> Chart:
    groups = [
        (
            _SAYS[name](one),
            [_bar("hub", 0, one["dispatch"]["engine"]["cpu_us"]), _bar("floor", 1, one["dispatch"]["floor"]["cpu_us"])],
        )
        for name, points in found.items()
        for one in points
    ]
    return Chart("CPU of one event in dispatch, as things grow", "microseconds", groups)


def write(found: Mapping[str, Any]) -> None:
    """Write page, charts and the figures themselves."""
    EVIDENCE.mkdir(exist_ok=True)
    FIGURES.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    PAGE.write_text(fill(WORDS.read_text("utf-8"), found), "utf-8")
    for name, svg in charts(found).items():
        (EVIDENCE / name).write_text(svg, "utf-8")


if __name__ == "__main__":
    write(json.loads(Path(sys.argv[1] if len(sys.argv) > 1 else FIGURES).read_text("utf-8")))
