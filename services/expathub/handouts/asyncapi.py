"""AsyncAPI 3.0 documents: what one partner sends and receives, and all that operators see.

Kafka channels with the headers of the CloudEvents Kafka binding, structured mode. Payloads are the closed schemas that
a partner's grants give (`views`), as multi-format schemas: 2020-12 is none of the formats that every tool must know.
References are followed, since a reference within a schema would be looked for in the document.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from expathub.core.catalogue import EventType
from expathub.core.configuration import Configuration
from expathub.core.event import TypeRef
from expathub.core.partners import HUB_OPERATOR, Partner
from expathub.core.topic_names import inbox, outbox
from expathub.handouts.views import View, unfolded, views

FORMAT: Final = "application/schema+json;version=draft-2020-12"
CONTENT_TYPE: Final = "application/cloudevents+json"

Examples = Mapping[tuple[str, int], list[dict[str, Any]]]
"""Good examples by event type and major: whole events."""

_ANY_HEADERS: Final[Mapping[str, Any]] = {
    "type": "object",
    "required": ["content-type"],
    "properties": {"content-type": {"type": "string", "const": CONTENT_TYPE}},
}
_INBOX_HEADERS: Final[Mapping[str, Any]] = {
    "type": "object",
    "required": ["content-type", "hub-origin"],
    "properties": {
        "content-type": {"type": "string", "const": CONTENT_TYPE},
        "hub-origin": {"type": "string", "description": "The journal position that the record was made of."},
        "hub-disclosure": {"type": "string", "format": "uuid", "description": "The id of the disclosure."},
        "hub-replay": {"type": "string", "description": "Only on replays."},
        "hub-command": {"type": "string", "description": "Only on what an operator released."},
        "hub-overtakes": {"type": "string", "description": "Only on a withdrawal that overtakes what waits."},
    },
}


def for_partner(configuration: Configuration, partner: Partner, examples: Examples, server: str) -> dict[str, Any]:
    """Return the document of one partner: its outbox, and its inbox."""
    title = f"expathub for {partner.name}"
    return _document(configuration, title, server, _channels(configuration, partner, examples))


def for_operators(configuration: Configuration, examples: Examples, server: str) -> dict[str, Any]:
    """Return the document of the whole hub: the outbox and the inbox of every partner, commands among them."""
    partners = configuration.partners.by_id.values()
    channels = (channel for partner in partners for channel in _channels(configuration, partner, examples))
    return _document(configuration, "expathub for operators", server, channels)


_Channel = tuple[str, str, dict[str, Any]]  # topic, what the document's owner does with it, messages by name


def _channels(configuration: Configuration, partner: Partner, examples: Examples) -> Iterator[_Channel]:
    kinds = [kind for _, kind in sorted(configuration.catalogue.types.items()) if kind.publishers & partner.roles]
    sent = dict(message for kind in kinds for message in _sent(kind, examples))
    if sent:
        yield outbox(partner.id), "send", sent
    received = dict(map(_received, views(configuration, partner)))
    if received and partner.id != HUB_OPERATOR:
        yield inbox(partner.id), "receive", received


def _sent(kind: EventType, examples: Examples) -> Iterator[tuple[str, dict[str, Any]]]:
    for major, version in sorted(kind.versions.items()):
        if version.ended is not None:
            continue
        name = str(TypeRef(kind.name, major))
        payload = {
            "type": "object",
            "required": ["specversion", "id", "source", "type", "subject", "data"],
            "properties": {"type": {"const": name}, "data": unfolded(version.schema)},
        }
        shown = [{"name": f"example-{n}", "payload": one} for n, one in enumerate(examples.get((kind.name, major), ()))]
        yield _key(name), _message(name, kind, _ANY_HEADERS, payload, shown)


def _received(view: View) -> tuple[str, dict[str, Any]]:
    key = f"{_key(view.name)}_{_key(str(view.grant.selector))}"
    return key, _message(view.name, view.kind, _INBOX_HEADERS, view.schema, [])


def _message(
    name: str, kind: EventType, headers: Mapping[str, Any], payload: Mapping[str, Any], examples: list[dict[str, Any]]
) -> dict[str, Any]:
    message = {
        "name": name,
        "title": kind.title.get("en", name),
        "summary": kind.meaning.get("en", ""),
        "contentType": CONTENT_TYPE,
        "headers": headers,
        "payload": {"schemaFormat": FORMAT, "schema": payload},
        "bindings": {"kafka": {"key": {"type": "string", "format": "uuid"}, "bindingVersion": "0.5.0"}},
    }
    return {**message, "examples": examples} if examples else message


def _document(configuration: Configuration, title: str, server: str, channels: Iterable[_Channel]) -> dict[str, Any]:
    listed = list(channels)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": title,
            "version": f"{configuration.revision}.0.0",
            "description": f"Made of configuration {configuration.digest}.",
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {"hub": {"host": server.split(",", maxsplit=1)[0], "protocol": "kafka"}},
        "channels": {_key(topic): {"address": topic, "messages": messages} for topic, _, messages in listed},
        "operations": {
            f"{action}_{_key(topic)}": {"action": action, "channel": {"$ref": f"#/channels/{_key(topic)}"}}
            for topic, action, _ in listed
        },
    }


def _key(name: str) -> str:
    """Write a name as a key of the document: letters, digits, dashes and underscores."""
    return "".join(one if one.isalnum() or one == "-" else "_" for one in name)
