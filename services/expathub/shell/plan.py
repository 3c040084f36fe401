"""What a service is made from: the ground that all stand on, and what makes one differ from another."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from faststream.kafka import KafkaBroker

from expathub import configuration, metrics
from expathub.core.configuration import Configuration
from expathub.kafka import waiting
from expathub.kafka.observer import Health, Observer
from expathub.logs import configure_logging
from expathub.metrics import Label
from expathub.settings import LogLevel, Settings, load_settings
from expathub.shell.seldom import Seldom
from expathub.shell.witness import CountTally


class Worker(Protocol):
    """What does the work of a service: an engine."""

    async def run(self) -> None:
        """Work until `stop` is called; raises when it cannot go on."""
        ...

    def stop(self) -> None:
        """Ask `run` to finish what it has begun, and return."""
        ...

    def health(self) -> Health:
        """Say from memory how it is."""
        ...


@dataclass(frozen=True, slots=True)
class Ground:
    """What every service of a process stands on: read once, at start."""

    settings: Settings
    configuration: Configuration

    @classmethod
    def read(cls) -> Ground:
        """Read settings and configuration and set up the log; raises `MisconfiguredError`."""
        settings = load_settings()
        waiting.check_address(settings.bootstrap)
        configure_logging(settings.log_level, settings.log_format)
        _quieten(settings.log_level)
        return cls(settings, configuration.load(settings.partners, settings.schemas))


def _quieten(level: LogLevel) -> None:
    """Keep what libraries tell of their everyday work out of the log; their warnings stay, each of them seldom."""
    if level is LogLevel.DEBUG:
        return
    for library in ("aiokafka", "uvicorn"):
        logging.getLogger(library).setLevel(logging.WARNING)
    for handler in logging.getLogger().handlers:
        handler.addFilter(Seldom())


@dataclass(frozen=True, slots=True)
class Plan:
    """What makes one service differ from another."""

    service: metrics.Service
    title: str
    describe: Callable[[KafkaBroker], None]
    """Declares the service's topics, for AsyncAPI."""
    make: Callable[[Ground, Observer], Worker]
    """Builds the engine with its stage; raises `MisconfiguredError`."""
    count_tally: CountTally
    values: Callable[[Configuration], Mapping[Label, tuple[str, ...]]]
    """What the labels of the service's own metrics can be."""
