"""The page `docs/profile-rules.md`, made of the table of statements."""

from __future__ import annotations

from expathub.core.profile import SHOULD
from expathub.core.profile_statements import STATEMENTS, Statement


def page() -> str:
    """Return the page, in Markdown."""
    rows = "\n".join(f"| {number} | {_row(one)} |" for number, one in enumerate(STATEMENTS, start=1))
    strict = "\n".join(f"| `{rule.word}` | `{rule.reason.value}` | {rule.text} |" for rule in SHOULD)
    checked = sum(bool(one.reasons) for one in STATEMENTS)
    return _PAGE.format(rows=rows, strict=strict, count=len(STATEMENTS), checked=checked)


def _row(one: Statement) -> str:
    codes = ", ".join(f"`{reason.value}`" for reason in one.reasons)
    return f"{one.level.value} | {one.section} | {one.text} | {'; '.join(filter(None, (codes, one.otherwise)))}"


_PAGE = """\
# The NL GOV profile, statement by statement

Every MUST and SHOULD of the
[NL GOV profile for CloudEvents](https://github.com/Logius-standaarden/NL-GOV-profile-for-CloudEvents) 1.1 in our own
words, with its section, and how the hub sees to it. Of {count} statements {checked} are checked on events, by the
[codes](reason-codes.md) named; what the others hang on is said. A SHOULD NOT is written as what should not be.

| no. | level | section | statement | how it is seen to |
|---|---|---|---|---|
{rows}

## Trying your own events

`expathub schemas lint FILE` says all that is wrong with events before they are sent: one JSON a line, a JSON list, or
one event laid out over several lines; `-` is standard input. What the hub would refuse is a `must`, and gives exit code
1; what it would take all the same is a `should`, and gives exit code 1 only with `--strict`. No value is ever shown.

```bash
expathub schemas sample nl.brp.ingeschreven.immigratie > event.json
sed 's/"time":"[^"]*"/"time":"yesterday"/; s/"subject":"[^"]*"/"subject":"999990342"/' event.json > wrong.json
expathub schemas lint wrong.json || echo "exit code $?"
```

```output
1: must    /subject  bsn-in-attribute: A context attribute or the key holds what may be a BSN. …
1: must    /subject  profile-subject: `subject` is no dossier id. …
1: must    /time  profile-time: `time` is no moment of RFC 3339 with its zone. …
1: should  /dataschema  profile-dataschema-https: …
1 event, 3 must, 1 should.
exit code 1
```

## Being held to a SHOULD

The hub takes an event that does not follow a SHOULD. A partner can be held to some of them: `strict` of its entry in
`partners.yaml` lists the words below, and intake then refuses with the code beside it. Nobody is held to any otherwise.

```yaml
- id: heerlen
  strict: [id-uuid, time-utc]
```

| word | code | advice |
|---|---|---|
{strict}

This page is made of `services/expathub/core/profile_statements.py` and `profile.py`:
`python -c "from expathub.core.profile_page import page; print(page(), end='')" > docs/profile-rules.md`.
"""
