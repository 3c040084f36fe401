"""How a relay stage's engine is set, from what the whole process stands on."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

from expathub import metrics
from expathub.kafka.engine_settings import EngineSettings
from expathub.shell.plan import Ground


def group_of(service: metrics.Service) -> str:
    """Name the consumer group of a stage; its transactional ids begin with the same word."""
    return f"hub.{service.value}"


def client_id_of(service: metrics.Service) -> str:
    """Name this process as Kafka and `expathub lag` show it: whoever looks sees which process holds which lane."""
    return f"{group_of(service)}-{socket.gethostname()}-{os.getpid()}"


def engine_settings(ground: Ground, service: metrics.Service, keys: Mapping[int, str] | None = None) -> EngineSettings:
    """Set an engine; `keys` are fingerprints of the keys at hand, by number, and go into each lane's marker."""
    return EngineSettings(
        bootstrap=ground.settings.bootstrap,
        group=group_of(service),
        client_id=client_id_of(service),
        revision=ground.configuration.revision,
        digest=ground.configuration.digest,
        keys={str(number): fingerprint for number, fingerprint in (keys or {}).items()},
    )
