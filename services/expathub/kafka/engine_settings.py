"""What an engine is told: where Kafka is, who it is, and its bounds. Times say their unit in their name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

_KIB = 1024
_MIB = 1024 * _KIB


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """All that an engine needs beside its stage and its lanes; the defaults are those of design R1, R2 and R8."""

    bootstrap: str
    group: str
    """The stage's consumer group."""
    client_id: str
    security: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    """Further arguments for every client: `security_protocol`, `ssl_context`, `sasl_…`. Not in `repr`: a password."""

    revision: int
    """Revision of the configuration; a lane that a higher one has had is not taken."""
    digest: str
    """Digest of the configuration."""
    keys: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Fingerprints of the secret keys at hand, by their number."""

    session_timeout_ms: int = 6_000
    heartbeat_interval_ms: int = 1_500
    rebalance_timeout_ms: int = 30_000
    commit_deadline_seconds: float = 10.0
    """From `begin` to the answer to the commit; beyond it the transaction is in doubt."""
    transaction_timeout_ms: int = 15_000
    """After this the broker aborts a transaction whose owner hangs."""
    fencing_seconds: float = 30.0
    """How long the fencing at a take-over may last; an open transaction must be ended by the broker first."""
    retry_backoff_ms: int = 5
    """The client's default of 100 makes a tenth of a second of every refusal that lasts a millisecond."""
    request_timeout_ms: int = 20_000
    release_seconds: float = 15.0
    """How long a lane may take to finish its batch when it is to be left, before it is dropped."""

    batch_records_max: int = 1_000
    batch_bytes_max: int = _MIB
    """Input bytes (keys and values) of one transaction; one record may be larger."""
    buffer_bytes_max: int = 2 * _MIB
    """Input bytes read ahead per lane; above it the lane is paused."""
    fetch_bytes_max: int = _MIB
    """Bytes fetched at once of one partition."""
    fetch_wait_ms: int = 100
    pause_between_seconds: float = 0.004
    """Least time between the end of a transaction and the begin of the lane's next one, in which the broker finishes
    the last one and the next batch grows. Without it every second transaction waits for 20 ms."""
    request_bytes_max: int = 2 * _MIB
    """Largest record that is written; a larger output makes its input poison."""
    output_batch_bytes: int = 512 * _KIB
    """Size of a record batch, as long as a record fits into it; must be within every topic's `max.message.bytes`."""

    deaths_max: int = 3
    """So many deaths of the pure work of one record make it poison (R9)."""
    look_again_seconds: float = 30.0
    """How often a stopped lane looks whether it may go on."""
    stuck_seconds: float = 60.0
    """A lane that gets none of the records before it for so long makes the membership begin anew."""
    renewal_seconds: float = 86_400.0
    """An idle lane renews its marker and its offset this often, so that neither expires."""
    memory_seconds: float = 600.0
    """How long the state of a lane is worth keeping between two turns as its owner."""
    rejoin_first_seconds: float = 1.0
    rejoin_last_seconds: float = 30.0
    settled_seconds: float = 60.0
    """A membership that lasted this long starts the back-off anew."""

    def connection(self) -> dict[str, Any]:
        """Return the arguments that every aiokafka client takes."""
        return {
            "bootstrap_servers": self.bootstrap,
            "client_id": self.client_id,
            "request_timeout_ms": self.request_timeout_ms,
            "retry_backoff_ms": self.retry_backoff_ms,
            **self.security,
        }
