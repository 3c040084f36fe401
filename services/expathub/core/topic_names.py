"""The names of the topics that the two stages write and read; what the topics are like is `expathub.kafka.topics`."""

from __future__ import annotations

JOURNAL = "hub.journal"
REFUSALS = "hub.refusals"
DISCLOSURES = "hub.disclosures"
PARKED = "hub.parked"


def outbox(partner: str) -> str:
    """Name the topic in which only `partner` writes."""
    return f"outbox.{partner}"


def inbox(partner: str) -> str:
    """Name the topic that only `partner` reads."""
    return f"inbox.{partner}"


def is_of_the_hub(topic: str) -> bool:
    """Tell whether only the hub's own services and its partners (or Kafka itself) write to a topic."""
    return topic.startswith(("outbox.", "inbox.", "hub.", "__"))
