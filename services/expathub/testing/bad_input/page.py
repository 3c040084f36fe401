"""The page `docs/bad-input.md`, made of the table; `python -m expathub.testing.bad_input.page` prints it."""

from __future__ import annotations

import sys

from expathub.core.reasons import Reason
from expathub.testing.bad_input import ON_THE_WIRE, ROWS, Case


def page() -> str:
    """Return the page, in Markdown."""
    rows = (f"| {row} | {title} | {_answers(cases)} |" for row, (title, cases) in ROWS.items())
    cases = (_line(case) for _, cases in ROWS.values() for case in cases)
    wire = (f"| {one.row} | {one.sent} | {one.answer} |" for one in ON_THE_WIRE)
    return _PAGE.format(rows="\n".join(rows), cases="\n".join(cases), wire="\n".join(wire))


def _answers(cases: tuple[Case, ...]) -> str:
    """Name the codes of a row, each once."""
    return ", ".join(dict.fromkeys(_code(case) for case in cases))


def _code(case: Case) -> str:
    return f"`{case.reason.value}`" if case.reason else "accepted"


def _line(case: Case) -> str:
    pointer = f"`{case.pointer}`" if case.pointer else ""
    return f"| {case.row} | {case.sent} | {_code(case)} | {pointer} | {_what_to_do(case)} |"


def _what_to_do(case: Case) -> str:
    if case.reason is None:
        return " ".join(f"Flagged `{flag.value}`. {flag.remedy}" for flag in case.flags) or "Nothing to do."
    return "Nothing to do; no receipt." if case.reason is Reason.DUPLICATE else case.reason.remedy


_PAGE = """\
# Bad input

What the hub answers to what it cannot take, kind by kind, so that a partner can try its own client against it. Whatever
is sent, three things hold:

- the record stands in `hub.refusals` as it was sent, byte by byte, and the sender finds a receipt in its inbox with the
  code, the position, and a pointer to what is wrong ([the reason codes](reason-codes.md));
- the next good event goes through: a bad one holds up nobody, not even its own sender;
- neither the receipt nor a log line repeats a value of the event.

A refused `id` may be used again. On Kafka there is no answer at the moment of sending: read the receipts.

The numbers are those of our list of bad input; a number that is missing here is about HTTP alone.

| row | what is sent | answers |
|---|---|---|
{rows}

## Case by case

In Python the table is `expathub.testing.bad_input.CASES`: each case makes the value, the headers and the key of a
record. Our own tests send all of them through the intake stage, and through a real Kafka.

| row | what is sent | code | pointer | what to do |
|---|---|---|---|---|
{cases}

## Below the level of records

What only a broken client of the Kafka protocol does, or one that means harm.

| row | what is sent | what comes of it |
|---|---|---|
{wire}

## Where the hub is stricter than the profile

- **An `id` has no full stop** (row 30). The NL GOV profile asks for a text that is not empty and unique under its
  source, so it would allow one. Web hooks sign `id.timestamp.body` (Standard Webhooks 1.0.0), and with a full stop in
  the id two different events could have one signature. Whoever has numbers such as `2026.17` writes `2026-17`; that
  still identifies the event, as the profile asks.
- **A `dataschema` has the scheme `https` or `urn`** (row 42), and where it names the event type it names its version
  too. The profile calls it informational and so does the hub: it is never fetched, never passed on, and one that the
  hub does not know refuses nothing, since `data` is held against the hub's own schema of the version in `type`.
- **`time` and `sequence` are checked for their form** (rows 35 and 53): an odd age or order is flagged and counted, and
  refuses nothing.
- **Percent signs in headers** (row 39) are percent signs: the Kafka binding of CloudEvents encodes nothing, unlike the
  one for HTTP. Only the search for a BSN looks through them.

This page is made of `services/expathub/testing/bad_input/`: `python -m expathub.testing.bad_input.page >
docs/bad-input.md`.
"""


if __name__ == "__main__":
    sys.stdout.write(page())
