"""The hub's records as models, for the AsyncAPI description that each service gives of itself.

Nothing is validated with these: the stages read strictly and in their own way. A partner's developer sees here what
to expect; which fields `data` has for whom stands in the catalogue.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class CloudEvent(BaseModel):
    """A CloudEvents 1.0 event in structured mode that keeps the NL GOV profile; more attributes may follow."""

    model_config = ConfigDict(extra="allow")

    specversion: str = Field(description="Always 1.0.", examples=["1.0"])
    id: str = Field(description="Unique within `source`; the same id again with the same content is a duplicate.")
    source: str = Field(description="URN of who says it, from the partner's entry in partners.yaml.")
    type: str = Field(description="Event type with its major version.", examples=["nl.brp.ingeschreven.immigratie.v1"])
    subject: str = Field(description="Dossier id (UUID), or a partner's own reference of it; the Kafka key.")
    time: str | None = Field(None, description="When it happened (RFC 3339).")
    datacontenttype: str | None = Field(None, examples=["application/json"])
    data: Any = Field(None, description="As the schema of type and version says.")


class EventName(BaseModel):
    """Which event a row is about."""

    source: str
    id: str
    type: str


class Row(BaseModel):
    """What a row about one event and one partner always says."""

    disclosure: str = Field(description="UUIDv5 of source, id and partner.")
    event: EventName
    journal: str = Field(description="Position in the journal.", examples=["hub.journal/3/17"])
    partner: str | None
    type: str | None = Field(description="The version told, or to be told.")
    ground: str | None = Field(description="Why the partner may know it.")
    reference: str | None = Field(description="How the partner knows the dossier.")
    at: str = Field(description="When the hub decided (RFC 3339).")


class Disclosure(Row):
    """A partner was told (`fields`), or was not (`withheld`)."""

    fields: list[str] | None = Field(None, description="JSON Pointers of what was told.")
    withheld: str | None = Field(None, description="Reason code.")


class Parked(Row):
    """A disclosure waits; no content."""

    held: str = Field(description="Reason code.")
    waits: str = Field(description="Who waits: a partner or a selector.")
    since: str = Field(description="Since when (RFC 3339).")
