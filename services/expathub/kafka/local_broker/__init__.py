"""A local Apache Kafka for development, tests and the demo, with nothing but Python on the machine.

`start`, `stop` and `status` are synchronous. The cluster runs in the background and outlives the caller; nothing
restarts a node by itself. `layout`, `lock`, `messages` and `plan` are pure; the rest acts.
"""

from expathub.kafka.local_broker.cluster import start, status, stop
from expathub.kafka.local_broker.errors import LocalBrokerError
from expathub.kafka.local_broker.node import Cluster, Node
from expathub.kafka.local_broker.temporary import temporary

__all__ = ["Cluster", "LocalBrokerError", "Node", "start", "status", "stop", "temporary"]
