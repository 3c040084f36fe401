"""The Kafka that a person named (EXPATHUB_BOOTSTRAP): never replaced, only asked whether it answers."""

from __future__ import annotations

import asyncio
from typing import Final

from expathub.kafka import waiting
from expathub.kafka.local_broker import messages
from expathub.kafka.local_broker.errors import LocalBrokerError

_GLANCE_SECONDS: Final = 2.0


def check_given(bootstrap: str, within_seconds: float = waiting.PATIENCE_SECONDS) -> None:
    """Return when Kafka answers at this address; raise `LocalBrokerError` when it does not within the time."""
    try:
        asyncio.run(asyncio.wait_for(waiting.wait(bootstrap), within_seconds))
    except TimeoutError:
        raise LocalBrokerError(*messages.given_broker_silent(bootstrap, within_seconds)) from None


def answers(bootstrap: str) -> bool:
    """Tell whether Kafka answers at this address now."""
    try:
        check_given(bootstrap, _GLANCE_SECONDS)
    except LocalBrokerError:
        return False
    return True
