"""What a service answers over HTTP: `/healthz`, `/readyz`, `/metrics`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
from faststream.asgi import AsgiResponse, get
from faststream.asgi.types import ASGIApp, Scope
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from expathub.metrics import Metrics


@dataclass(frozen=True, slots=True)
class State:
    """How a service is. `why` is a word when it is not ready; `lanes` says how each of its lanes is."""

    alive: bool
    ready: bool
    why: str | None = None
    lanes: dict[str, str] | None = None


def routes(state: Callable[[], State], measured: Callable[[], Metrics | None]) -> list[tuple[str, ASGIApp]]:
    """Return the routes; both callables must answer from memory, at once."""

    @get(include_in_schema=False)
    async def healthz(scope: Scope) -> AsgiResponse:  # noqa: ARG001 (the framework's signature)
        """Say whether the process is worth keeping: 503 once its engine has ended."""
        now = state()
        return _json({"alive": now.alive}, good=now.alive)

    @get(include_in_schema=False)
    async def readyz(scope: Scope) -> AsgiResponse:  # noqa: ARG001 (the framework's signature)
        """Say whether all lanes of this process run; 503 and why, if not."""
        now = state()
        return _json({"ready": now.ready, "why": now.why, "lanes": now.lanes or {}}, good=now.ready)

    @get(include_in_schema=False)
    async def scrape(scope: Scope) -> AsgiResponse:  # noqa: ARG001 (the framework's signature)
        """Give the metrics in the Prometheus text format."""
        state()
        metrics = measured()
        body = generate_latest(metrics.registry) if metrics else b""
        return AsgiResponse(body, 200, {"content-type": CONTENT_TYPE_LATEST})

    return [("/healthz", healthz), ("/readyz", readyz), ("/metrics", scrape)]


def _json(value: Any, *, good: bool) -> AsgiResponse:
    return AsgiResponse(orjson.dumps(value), 200 if good else 503, {"content-type": "application/json"})
