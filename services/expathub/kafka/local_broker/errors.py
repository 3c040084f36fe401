"""What can stop a local broker: each error is one line that says what is wrong and how to mend it.

The command line prints `str(error)` and exits with 69 (design §7: Kafka cannot be had). Sentences live in
`messages.py`; here are only the kinds that a caller tells apart.
"""

from __future__ import annotations


class LocalBrokerError(Exception):
    """No local broker can be had. `str()` is one line for a person: what is wrong, how to mend it."""


class NoJavaWayError(LocalBrokerError):
    """Java or the jars are not to be had, so another way (Docker) may be tried."""


class NoDockerWayError(LocalBrokerError):
    """No Docker engine answers, or it has no image and cannot pull it."""


class PortTakenError(LocalBrokerError):
    """Another program listens on a port that a node needs."""


class DiskFullError(LocalBrokerError):
    """There is no room for the jars or for the data."""


class NodeDiedError(LocalBrokerError):
    """A node ended, or did not answer in time, while it was being started."""
