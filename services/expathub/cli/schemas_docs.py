"""`expathub schemas docs` and `asyncapi`: what partners and operators get to read."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from expathub.cli.output import print_json, print_line
from expathub.errors import UsageError
from expathub.settings import load_settings

if TYPE_CHECKING:
    from expathub.core.configuration import Configuration
    from expathub.core.partners import Partner


class Format(StrEnum):
    """How a page is written."""

    HTML = "html"
    MARKDOWN = "markdown"


class Language(StrEnum):
    """The languages of the catalogue."""

    NL = "nl"
    EN = "en"


PartnerOption = Annotated[str | None, typer.Option("--partner", metavar="P", help="Only what this partner gets.")]


def docs(
    partner: PartnerOption = None,
    form: Annotated[Format, typer.Option("--format", help="How the page is written.")] = Format.MARKDOWN,
    language: Annotated[Language, typer.Option(help="In which language.")] = Language.NL,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Write the page into this folder.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="With --partner: print its closed JSON Schemas.")] = False,
) -> None:
    """Write the catalogue to read: what events mean, their versions, who gets which field on which ground and why.

    With --partner exactly what that partner gets: the closed JSON Schemas that its grants give.
    """
    from expathub.configuration.wording import changes_in_words
    from expathub.handouts.blocks import html, markdown
    from expathub.handouts.catalogue_page import Writer
    from expathub.handouts.views import views

    configuration = _configuration()
    chosen = _partner(configuration, partner) if partner else None
    if as_json:
        if chosen is None:
            raise UsageError("--json prints the schemas of one partner.", "Name it with --partner.")
        print_json(
            [
                {"type": view.name, "as": str(view.grant.selector), "ground": view.grant.ground, "schema": view.schema}
                for view in views(configuration, chosen)
            ]
        )
        return
    writer = Writer(configuration, changes_in_words(load_settings().schemas), language.value)
    blocks = list(writer.partner(chosen) if chosen else writer.catalogue())
    title = f"expathub {partner or ''}".strip()
    text = html(blocks, language.value, title) if form is Format.HTML else markdown(blocks)
    _write(text, out, f"{partner or 'catalogue'}.{language.value}.{'html' if form is Format.HTML else 'md'}")


def asyncapi(
    partner: PartnerOption = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Write the document into this folder.")] = None,
) -> None:
    """Write the AsyncAPI 3.0 document of one partner (--partner), or of the whole hub for operators."""
    from expathub.configuration.wording import good_examples
    from expathub.handouts.asyncapi import for_operators, for_partner

    configuration, settings = _configuration(), load_settings()
    examples = good_examples(settings.schemas)
    if partner:
        document = for_partner(configuration, _partner(configuration, partner), examples, settings.bootstrap)
    else:
        document = for_operators(configuration, examples, settings.bootstrap)
    _write(json.dumps(document, indent=2, ensure_ascii=False) + "\n", out, f"{partner or 'operators'}.asyncapi.json")


def _configuration() -> Configuration:
    from expathub import configuration

    settings = load_settings()
    return configuration.load(settings.partners, settings.schemas)


def _partner(configuration: Configuration, name: str) -> Partner:
    partners = configuration.partners.by_id
    if name not in partners:
        raise UsageError(f"There is no partner {name}.", f"Partners are {', '.join(partners)}.")
    return partners[name]


def _write(text: str, out: Path | None, name: str) -> Any:
    if out is None:
        print_line(text.rstrip("\n"))
        return
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(text, "utf-8")
    except OSError as problem:
        raise UsageError(f"{out / name} cannot be written ({problem.strerror}).", "Name another folder.") from None
    print_line(str(out / name))
