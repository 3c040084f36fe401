"""A local Apache Kafka for development, tests and the demo, with nothing but Python on the machine."""

from expathub.kafka.local_broker.cluster import Cluster, Node, start, status, stop
from expathub.kafka.local_broker.errors import LocalBrokerError

__all__ = ["Cluster", "LocalBrokerError", "Node", "start", "status", "stop"]
