"""The figures of a run as tables: Markdown, which a terminal shows well enough, so that page and screen agree."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

NAMES = {
    "engine": "the hub",
    "floor": "hand-written loop",
    "faststream-batch": "FastStream, batch",
    "faststream-single": "FastStream, single",
}
GUARANTEES = {"engine": "exactly once", "floor": "exactly once"}


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay out a table with columns as wide as they need."""
    widths = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        padded = (
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return f"| {' | '.join(padded)} |\n"

    rule = "".join(f"|{'-' * (width + 1)}{'-' if at == 0 else ':'}" for at, width in enumerate(widths)) + "|\n"
    return line(head) + rule + "".join(map(line, rows))


def between(figure: Mapping[str, float], digits: int = 1) -> str:
    """Write a median with the lowest and the highest."""
    return f"{figure['median']:,.{digits}f} ({figure['low']:,.{digits}f}–{figure['high']:,.{digits}f})"


def cost(found: Mapping[str, Any]) -> str:
    """Show hub, floor and peers."""
    rows = [
        [
            f"{stage}: {NAMES[way]}",
            GUARANTEES.get(way, "at least once"),
            between(figures["cpu_us"]),
            between(figures["ratio"], 2),
            f"{figures['rate']['median']:,.0f}",
            f"{figures['broker_us']['median']:.1f}",
            f"{figures['records_a_batch']:,.0f}",
        ]
        for stage in ("intake", "dispatch")
        for way, figures in found[stage].items()
    ]
    head = ("stage and way", "guarantee", "CPU µs/event", "× floor", "events/s", "broker µs/event", "events a batch")
    return table(head, rows)


def latency(found: Sequence[Mapping[str, Any]]) -> str:
    """Show the percentiles."""
    rows = [
        [
            f"{one['rate']:g} events/s",
            f"{one['events']:,}",
            *(f"{one[name]:.1f}" for name in ("p50", "p90", "p99", "max")),
            f"{one['generator_late']['p99']:.1f}",
            f"{one['hub_core_share']:.0%}",
            f"{one['broker_core_share']:.0%}",
        ]
        for one in found
    ]
    late = "p99 of generator's lateness"
    return table(("rate", "events", "p50 ms", "p90 ms", "p99 ms", "max ms", late, "hub, of a core", "broker"), rows)


def growth(label: str, write: Callable[[Mapping[str, Any]], str]) -> Callable[[Sequence[Mapping[str, Any]]], str]:
    """Show hub and floor for each value of what grows."""

    def show(found: Sequence[Mapping[str, Any]]) -> str:
        rows = [
            [
                write(one),
                stage,
                between(one[stage]["engine"]["cpu_us"]),
                between(one[stage]["floor"]["cpu_us"]),
                between(one[stage]["engine"]["ratio"], 2),
                f"{one[stage]['engine']['rate']['median']:,.0f}",
            ]
            for one in found
            for stage in ("intake", "dispatch")
            if stage in one
        ]
        return table((label, "stage", "hub µs/event", "floor µs/event", "× floor", "events/s"), rows)

    return show


def processes(found: Sequence[Mapping[str, Any]]) -> str:
    """Show one process and two."""
    rows = [[str(one["processes"]), between(one["cpu_us"]), between(one["rate"], 0)] for one in found]
    return table(("processes of dispatch", "CPU µs/event, all together", "events/s"), rows)


def bad(found: Sequence[Mapping[str, Any]]) -> str:
    """Show what bad events cost."""
    rows = [
        [
            f"{one['share']:.0%}",
            between(one["cpu_us"]),
            between(one["each_bad_us"]) if one["each_bad_us"] else "–",
            between(one["rate"], 0),
        ]
        for one in found
    ]
    return table(("bad events", "CPU µs/event", "µs of a bad event alone", "events/s"), rows)


def memory(found: Mapping[str, Any]) -> str:
    """Show what is kept and what grows."""
    own, day = found["own"], found["day"]
    rows = [
        ["a remembered id, as batches are committed", f"{own['id_applied']:.0f} bytes"],
        ["a remembered id, as it is loaded", f"{own['id_restored']:.0f} bytes"],
        ["a dossier of which three partners were told", f"{own['dossier_of_three']:.0f} bytes"],
        ["growth of the whole hub an event, ids included", f"{day['bytes_an_event']:.0f} bytes"],
        *([f"whole hub after {one['events']:,} events", f"{one['rss_mib']:.1f} MiB"] for one in day["points"]),
    ]
    return table(("what", "memory"), rows)


def held_to(found: Sequence[Mapping[str, Any]]) -> str:
    """Show the figures of the design."""
    rows = [
        [one["what"], f"{one['value']:.2f} {one['unit']}", f"{one['limit']:g}", "kept" if one["kept"] else "MISSED"]
        for one in found
    ]
    return table(("held to", "measured", "at most", ""), rows)


TITLES: Mapping[str, tuple[str, Callable[[Any], str]]] = {
    "cost": ("CPU of an event: hub, hand-written loop, FastStream", cost),
    "latency": ("Publish to inbox, from the intended time", latency),
    "recipients": (
        "Growth with recipients (events of 1 KiB)",
        growth("recipients", lambda one: str(one["recipients"])),
    ),
    "size": ("Growth with size (one recipient)", growth("size", lambda one: f"{one['bytes'] / 1024:.1f} KiB")),
    "dossiers": ("Growth with dossiers known", growth("dossiers", lambda one: f"{one['dossiers']:,}")),
    "processes": ("Processes", processes),
    "bad": ("Bad events", bad),
    "memory": ("Memory", memory),
}


def render(found: Mapping[str, Any]) -> str:
    """Return all tables of a run."""
    parts = [
        f"\n{title}\n\n{show(found['sections'][name])}"
        for name, (title, show) in TITLES.items()
        if name in found["sections"]
    ]
    if found["held_to"]:
        parts.append(f"\nFigures of the design\n\n{held_to(found['held_to'])}")
    return "".join(parts)
