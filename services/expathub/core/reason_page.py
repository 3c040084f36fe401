"""The page `docs/reason-codes.md`, made of the closed lists and the table of rules."""

from __future__ import annotations

from collections.abc import Iterable

from expathub.core.profile import MUST, SHOULD
from expathub.core.reasons import Code, Flag, Held, Reason, Withheld


def page() -> str:
    """Return the page, in Markdown."""
    must = ((str(rule.number), f"`{rule.attribute}`", f"`{rule.reason.value}`", rule.reference) for rule in MUST)
    should = ((str(rule.number), f"`{rule.attribute}`", rule.text, rule.reference) for rule in SHOULD)
    return _PAGE.format(
        refused=_codes(Reason),
        flagged=_codes(Flag),
        held=_codes(Held),
        withheld=_codes(Withheld),
        must=_rows(must),
        should=_rows(should),
    )


def _codes(codes: Iterable[Code]) -> str:
    return _rows((f"`{code.value}`", code.meaning, code.remedy) for code in codes)


def _rows(rows: Iterable[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


_PAGE = """\
# Reason codes

The lists are closed: the hub gives no other code, and a code keeps its meaning. None ever carries a value out of an
event. A pointer beside a code is a JSON Pointer from the root of the event (`/data/datumVan`); it names only what the
profile or the schema knows, and stops at the parent of anything else, since a made-up name may be a person's number.

## Refused

What intake does not accept stands, untouched, in `hub.refusals`, with the code in the header `hub-code` and the pointer
in `hub-pointer`. The sender finds both, with these words, in a receipt in its inbox; its next event goes through.
A refused `id` may be used again. `duplicate` alone gives no receipt.

| code | what it means | what to do |
|---|---|---|
{refused}

## The profile, rule by rule

The [NL GOV profile for CloudEvents](https://github.com/Logius-standaarden/NL-GOV-profile-for-CloudEvents) 1.1, and what
the hub asks beyond it. An event that breaks one of these is refused, by the first that it breaks:

| rule | attribute | code | source |
|---|---|---|---|
{must}

An event that does not follow these is taken all the same.

| rule | about | advice | source |
|---|---|---|---|
{should}

## Flagged

What is odd about an event that is taken all the same. It is counted per sender in `hub_intake_flags_total` and in the
`tally` of the log line; no flag ever refuses.

| code | what it means | what to do |
|---|---|---|
{flagged}

## Held

A disclosure that cannot be made now waits, in order, in its dossier; everything else goes on. A row in `hub.parked`
says so, without content.

| code | what it means | what to do |
|---|---|---|
{held}

## Withheld

A partner that a selector chose is not told, for good, or nobody was chosen. A row in `hub.disclosures` says so.

| code | what it means | what to do |
|---|---|---|
{withheld}

This page is made of `services/expathub/core/reasons.py` and `profile.py`:
`python -c "from expathub.core.reason_page import page; print(page(), end='')" > docs/reason-codes.md`.
"""
