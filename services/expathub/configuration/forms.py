"""The forms of `about.yaml` and `partners.yaml`: which keys there are, and what each may hold.

Pydantic judges a file against its form; `fill` turns what it says into faults with lines and remedies. What one key
means for another, or one file for the next, is not judged here.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from expathub.configuration.faults import Faults
from expathub.configuration.tree import Document

F = TypeVar("F", bound="Form")


class Form(BaseModel):
    """A mapping with known keys only; a key `publisher-owns` is the field `publisher_owns`."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, alias_generator=lambda name: name.replace("_", "-")
    )


def _per_major(value: object) -> object:
    """Read `/data/x` as `{"*": "/data/x"}`: the same pointer in every major."""
    return {"*": value} if isinstance(value, str) else value


def _date(value: object) -> object:
    """Read `2027-07-01`; what is no date is left for Pydantic to refuse."""
    if not isinstance(value, str):
        return value
    try:
        return date.fromisoformat(value) if len(value) == len("2027-07-01") else value
    except ValueError:
        return value


Text = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=r"\S")]
PartnerId = Annotated[str, StringConstraints(min_length=2, max_length=64, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
TypeName = Annotated[str, StringConstraints(max_length=128, pattern=r"^nl(\.[a-z0-9]+(-[a-z0-9]+)*){2,4}$")]
Major = Annotated[int, Field(ge=1, le=999)]
MajorKey = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,2}$")]
Pointer = Annotated[str, StringConstraints(max_length=512, pattern=r"^(/data(/[^/\s]+)+|/[a-z0-9]{1,20})$")]
DataPointer = Annotated[str, StringConstraints(max_length=512, pattern=r"^/data(/[^/\s*]+)+$")]
PerMajor = Annotated[
    dict[Annotated[str, StringConstraints(pattern=r"^(\*|[1-9][0-9]{0,2})$")], Pointer],
    Field(min_length=1),
    BeforeValidator(_per_major),
]
Day = Annotated[date, BeforeValidator(_date)]
Language = Annotated[str, StringConstraints(max_length=35, pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
RoleWord = Literal["expat-centre", "ind", "municipality", "foreign-centre", "border-info", "portal"]
PublisherWord = Literal["expat-centre", "ind", "municipality", "foreign-centre", "border-info", "portal", "operator"]
StrictWord = Literal[
    "id-uuid",
    "source-registered",
    "type-nl",
    "time-utc",
    "datacontenttype-plain",
    "dataschema-https",
    "sequence-padded",
    "traceparent-form",
    "partitionkey-subject",
    "data-size",
]
SelectorWord = Literal[
    "role:expat-centre",
    "role:ind",
    "role:municipality",
    "role:foreign-centre",
    "role:border-info",
    "role:portal",
    "municipality-of-residence",
    "former-municipality",
    "referred-partner",
    "earlier-recipients",
    "everyone",
]


class Words(Form):
    """A text in the two languages of the catalogue."""

    nl: Text
    en: Text


class Recipient(Form):
    """Whom a selector chooses, on which ground and to what purpose, and the fields they get of each major."""

    to: SelectorWord
    ground: Text
    purpose: Text
    fields: dict[MajorKey, list[Pointer]]


class Life(Form):
    """Since when a major may be sent, when it will end, and when it has ended."""

    since: Day
    sunset: Day | None = None
    ended: Day | None = None


class Keeping(Form):
    """How long the hub keeps what an event says, and how long that it was told; and why."""

    content_days: Annotated[int, Field(ge=1, le=36_500)]
    account_years: Annotated[int, Field(ge=1, le=100)]
    ground: Text


class Consent(Form):
    """Where an event names the partner that a person consents to be referred to, and until when."""

    partner: PerMajor
    until: PerMajor


class DossierEffects(Form):
    """What an event says about its dossier."""

    residence: PerMajor | None = None
    former: PerMajor | None = None
    secrecy: PerMajor | None = None
    consent: Consent | None = None
    withdraws_consent: bool = False


class About(Form):
    """`about.yaml`: one event type."""

    title: Words
    meaning: Words
    published_when: Words
    not_published_when: Words
    publishers: list[PublisherWord]
    publisher_owns: PerMajor | None = None
    classification: Literal["public", "internal", "confidential", "restricted"]
    public: bool = False
    retention: Keeping
    recipients: list[Recipient]
    versions: Annotated[dict[MajorKey, Life], Field(min_length=1)]
    dossier: DossierEffects = DossierEffects()
    command: Literal["release", "discard", "erase"] | None = None


class Hub(Form):
    """The hub itself, as the source of what it says in its own name."""

    source: Text


class PartnerEntry(Form):
    """One partner."""

    id: PartnerId
    name: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"\S")]
    roles: Annotated[list[RoleWord], Field(min_length=1)]
    source: Annotated[str, StringConstraints(max_length=255, pattern=r"^[!-~]+$")]
    municipality: (
        Annotated[
            str, StringConstraints(pattern=r"^[0-9]{4}$"), BeforeValidator(lambda v: str(v) if type(v) is int else v)
        ]
        | None
    ) = None
    languages: list[Language] = []
    reads: dict[TypeName, Major] = {}
    strict: list[StrictWord] = []
    ended: Day | None = None


class PartnersFile(Form):
    """`partners.yaml`."""

    revision: Annotated[int, Field(ge=1, le=2**31 - 1)]
    hub: Hub
    partners: Annotated[list[PartnerEntry], Field(max_length=1000)]


def fill(form: type[F], document: Document, faults: Faults) -> F | None:
    """Read a document as `form`; None where it does not fit, with a fault for each place that does not."""
    try:
        return form.model_validate(document.value)
    except ValidationError as problem:
        for error in problem.errors(include_url=False, include_input=False):
            loc = tuple(part for part in error["loc"] if part != "[key]")
            what, mend = _explain(form, error["type"], loc, error.get("ctx", {}), error["msg"])
            faults.add(document.file, document.line(loc), what, mend)
    return None


def _explain(
    form: type[Form], kind: str, loc: tuple[str | int, ...], context: Mapping[str, Any], message: str
) -> tuple[str, str]:
    """Say what is wrong and how to mend it, in words of the file rather than of Pydantic."""
    name = _dotted(loc)
    if kind == "extra_forbidden":
        return f"the key `{name}` is unknown", f"Known here: {', '.join(_keys(form, loc[:-1])) or 'none'}"
    if kind == "missing":
        return f"the key `{name}` is missing", "Add it (docs/adding-an-event-type.md, docs/adding-a-partner.md)"
    if kind == "literal_error":
        return f"`{name}` is none of the words allowed", f"Use one of {context['expected']}"
    if kind == "string_pattern_mismatch":
        return f"`{name}` is not of the form it must have", f"It must match {context['pattern']}"
    if kind == "string_type":
        return f"`{name}` is not text", "Write text; put numbers, true, false and null in quotes"
    return f"`{name}`: {message[:1].lower()}{message[1:]}", "Correct the value"


def _dotted(loc: tuple[str | int, ...]) -> str:
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text or "the file"


def _keys(form: type[Form], loc: tuple[str | int, ...]) -> list[str]:
    """Return the keys that the form knows at `loc`."""
    current: Any = form
    for part in loc:
        if isinstance(current, type) and issubclass(current, Form):
            field = next((f for f in current.model_fields.values() if f.alias == part), None)
            current = _form_within(field.annotation) if field else None
    known = current.model_fields.values() if isinstance(current, type) and issubclass(current, Form) else ()
    return sorted(str(field.alias) for field in known)


def _form_within(annotation: object) -> object:
    """Find the form in `list[Form]`, `dict[…, Form]`, `Form | None` or `Annotated[…]`."""
    if inspect.isclass(annotation) and typing.get_origin(annotation) is None:
        return annotation if issubclass(annotation, Form) else None
    return next(filter(None, map(_form_within, typing.get_args(annotation))), None)
