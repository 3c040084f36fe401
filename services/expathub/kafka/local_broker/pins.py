"""The one combination of versions that the local broker is tried with. Raise them together, then run the tests."""

from __future__ import annotations

from typing import Final

KAFKA: Final = "4.3.1"
SLF4J: Final = "1.7.36"
ROOTS: Final = (f"org.apache.kafka:kafka_2.13:{KAFKA}", f"org.slf4j:slf4j-simple:{SLF4J}")
"""What `deploy/kafka/jars.lock` was resolved from: the broker, and a logger that writes to standard error."""

JARS_MB: Final = 44
"""What the jars of the lock take together; it is only told, never relied on."""

JAVA_MIN: Final = 17
"""Kafka 4 brokers need Java 17."""

KAFKA_MAJOR: Final = "4"
"""KRaft alone, and no newer major has been tried."""

IMAGE: Final = f"apache/kafka:{KAFKA}"
