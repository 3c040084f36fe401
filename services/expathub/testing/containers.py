"""Apache Kafka in a container by testcontainers, for tests: needs the package `testcontainers` and a Docker engine.

The stock class of testcontainers takes images of another layout only. The broker gets the hub's own settings.
"""

from __future__ import annotations

import time
from typing import Final, Self

from testcontainers.core.container import DockerContainer

from expathub.kafka.local_broker import container, pins, ready

START_SECONDS: Final = 60.0

# The port outside is known only once the container runs, and the broker must advertise it. So the container waits for
# a script; a marker tells that it is whole, for a file that is still being written cannot be run.
_SCRIPT: Final = "/tmp/start"  # noqa: S108 (inside the container, which nobody shares)
_MARKER: Final = "/tmp/start.whole"  # noqa: S108
_WAIT: Final = f"while [ ! -f {_MARKER} ]; do sleep 0.1; done; exec sh {_SCRIPT}"


class KafkaContainer(DockerContainer):
    """One node on a port that Docker chooses; `with KafkaContainer() as kafka: kafka.bootstrap`."""

    def __init__(self, image: str = pins.IMAGE, *, fast: bool = True) -> None:
        super().__init__(image)
        self.with_exposed_ports(container.CLIENTS)
        self.with_kwargs(hostname=container.alias(1))
        self.with_command(["sh", "-c", _WAIT])
        self.with_envs(
            CLUSTER_ID="expathub-kafka-in-test",
            **container.variables(container.settings(1, 1)),
            **container.java_variables(1, fast=fast),
        )

    @property
    def bootstrap(self) -> str:
        """The address for clients."""
        return f"{self.get_container_host_ip()}:{self.get_exposed_port(container.CLIENTS)}"

    def start(self) -> Self:
        """Start the broker and wait until it answers; raises `TimeoutError` with its log after a minute."""
        super().start()
        host, _, port = self.bootstrap.rpartition(":")
        advertised = container.advertised(1, host, int(port))
        script = f"export {container.ADVERTISED}={advertised}\nexec /etc/kafka/docker/run\n"
        self.copy_into_container(script.encode(), _SCRIPT)
        self.copy_into_container(b"", _MARKER)
        until = time.monotonic() + START_SECONDS
        while not ready.knows_all(self.bootstrap, 1, START_SECONDS):
            if time.monotonic() > until:
                raise TimeoutError(b"".join(self.get_logs()).decode(errors="replace"))
            time.sleep(0.1)
        return self
