"""`expathub schemas diff` and `release`: what a change of schemas means for partners, and what they were promised."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from expathub.cli.exits import ExitCode
from expathub.cli.output import print_json, print_line
from expathub.errors import UsageError
from expathub.settings import load_settings

if TYPE_CHECKING:
    from expathub.core.compatibility.compare import Change


def diff(
    old: Annotated[
        str,
        typer.Argument(metavar="OLD", help="A schema file, an event type's folder, or schemas/; or a revision of git."),
    ],
    new: Annotated[
        str, typer.Argument(metavar="NEW", help="The same kind of thing, as it is now; default schemas/.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list.")] = False,
) -> None:
    """Say of each change whom it breaks: compatible, breaks-readers, breaks-writers or undecidable.

    Readers by the old schema must find all they know in what new writers write; writers by the old schema must still be
    accepted. Exit code 1 if anything but compatible.
    """
    with TemporaryDirectory(prefix="expathub-") as folder:
        sides = _sides(old, new, Path(folder))
        changes = _compared(*sides)
    if as_json:
        print_json([_row(change) for change in changes])
    else:
        _print(changes)
    if any(change.verdict.value != "compatible" for change in changes):
        raise typer.Exit(ExitCode.FOUND)


def release() -> None:
    """Record all schemas, lenses and sunsets as released: from now on they must not break (`expathub check`).

    Refuses, with exit code 1, while something breaks what was released before.
    """
    from expathub import configuration
    from expathub.configuration.editions import read_editions
    from expathub.configuration.faults import Faults
    from expathub.configuration.released import changes_since_release, write_released
    from expathub.core.compatibility.editions import breaking

    settings = load_settings()
    configuration.load(settings.partners, settings.schemas)
    changes = changes_since_release(settings.schemas, Faults())
    broken = breaking(changes)
    if broken:
        _print(broken)
        raise typer.Exit(ExitCode.FOUND)
    editions = read_editions(settings.schemas)
    file = write_released(settings.schemas, editions)
    majors = sum(len(edition.schemas) for edition in editions.values())
    print_line(f"{file}: {len(editions)} event types, {majors} majors, {len(changes)} changes since the last release.")


def _sides(old: str, new: str, folder: Path) -> tuple[Path, Path]:
    """Find both sides; a revision is unpacked, and stands for the path that the other side names."""
    from expathub.configuration.revisions import is_revision, unpack

    schemas = load_settings().schemas
    texts = (old, new or str(schemas))
    paths = [Path(text) if Path(text).exists() else None for text in texts]
    found = []
    for text, path, other in zip(texts, paths, reversed(paths), strict=True):
        if path is not None:
            found.append(path)
            continue
        subject = other or schemas
        if not is_revision(text, subject):
            raise UsageError(f"{text} is no file, no folder and no revision of git.", "Correct the path.")
        found.append(unpack(text, subject, folder / f"side-{len(found)}"))
    return found[0], found[1]


def _compared(old: Path, new: Path) -> list[Change]:
    from expathub.configuration.editions import ABOUT, read_edition, read_editions, read_schema_file
    from expathub.configuration.judging import judge
    from expathub.core.compatibility.compare import compare
    from expathub.core.compatibility.editions import compare_editions, compare_types

    kinds = {_kind(path, ABOUT) for path in (old, new)}
    if len(kinds) > 1:
        raise UsageError(f"A {' and a '.join(sorted(kinds))} cannot be compared.", "Name two of the same kind.")
    if kinds == {"file"}:
        schemas = [_schema(read_schema_file(path), path) for path in (old, new)]
        return compare(schemas[0], schemas[1], judge)
    if kinds == {"folder of one event type"}:
        return compare_editions(read_edition(old), read_edition(new), judge)
    return compare_types(read_editions(old), read_editions(new), judge)


def _kind(path: Path, about: str) -> str:
    if path.is_file():
        return "file"
    return "folder of one event type" if (path / about).is_file() else "folder of event types"


def _schema(value: Any, path: Path) -> Any:
    from expathub.configuration.judging import judge

    try:
        judge(value, value, None)
    except ValueError as problem:
        reason = str(problem).splitlines()[0][:200]
        raise UsageError(f"{path} is no JSON Schema 2020-12 ({reason}).", "Mend it first.") from None
    return value


def _row(change: Change) -> dict[str, str]:
    return {
        "pointer": change.pointer,
        "change": change.change,
        "verdict": change.verdict.value,
        "reason": change.reason,
    }


def _print(changes: list[Change]) -> None:
    width = max((len(change.verdict.value) for change in changes), default=0)
    for change in changes:
        print_line(f"{change.verdict.value:{width}}  {change.pointer or '(the whole)'}: {change.change}")
        print_line(f"{'':{width}}    {change.reason}")
    broken = sum(change.verdict.value != "compatible" for change in changes)
    print_line(f"{len(changes)} change{'' if len(changes) == 1 else 's'}, {broken} not compatible.")
