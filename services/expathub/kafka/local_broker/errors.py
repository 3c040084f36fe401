"""What can stop a local broker: each error says what is wrong and how to mend it.

The sentences live in `messages.py`; here are only the kinds that somebody tells apart.
"""

from __future__ import annotations

from expathub.errors import KafkaUnreachableError, UsageError


class LocalBrokerError(KafkaUnreachableError):
    """No local broker can be had; exit code 69."""


class NoJavaWayError(LocalBrokerError):
    """Java or the jars are not to be had, so another way may be tried."""


class NoDockerWayError(LocalBrokerError):
    """No Docker engine answers, or it has no image and cannot pull one."""


class PortTakenError(LocalBrokerError):
    """Another program listens on a port that a node needs."""


class DiskFullError(LocalBrokerError):
    """There is no room for the jars or for the data."""


class NodeFailedError(LocalBrokerError):
    """A node ended, or did not answer in time, while it was being started: `mend` holds the last lines of its log."""

    def __str__(self) -> str:
        """Return one line, and the log's lines below it."""
        return f"{self.what}\n{self.mend}"


class OtherClusterError(UsageError):
    """The data folder holds a cluster of another shape than was asked for; exit code 2."""
