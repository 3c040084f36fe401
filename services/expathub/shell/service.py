"""A service of the hub as a FastStream application.

`HubService.run` is what `faststream run` calls and what `expathub intake` calls: the two are the same thing. The
engine starts after start-up has been reported, so that the port answers while Kafka is away, and its end, for any
reason, ends the process. Which engine it is, a service's own `wiring.py` says.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from faststream.asgi import AsgiFastStream, AsyncAPIRoute
from faststream.kafka import KafkaBroker
from faststream.specification import AsyncAPI

from expathub import __version__
from expathub.errors import ExpathubError
from expathub.shell import answers
from expathub.shell.life import Life, say
from expathub.shell.plan import Ground, Plan
from expathub.shell.serving import run_together


class DescribedBroker(KafkaBroker):
    """A broker that only describes its topics and never connects: the engine has clients of its own.

    FastStream has no transactions, and its broker would end the process where Kafka is away at start.
    """

    async def start(self) -> None:
        """Connect nowhere."""


class HubService(AsgiFastStream):
    """An engine, and HTTP that tells how it is; `life` is all that happens to it."""

    def __init__(self, plan: Plan) -> None:
        self.life = Life(plan, self)
        broker = DescribedBroker(specification_url="{EXPATHUB_BOOTSTRAP}")
        plan.describe(broker)
        super().__init__(
            broker,
            asgi_routes=answers.routes(self.life.state, lambda: self.life.measured),
            # Without "try it out": it would let anybody who reaches the port publish to any topic.
            asyncapi_path=AsyncAPIRoute("/asyncapi", asyncapi_json_path="/asyncapi.json", try_it_out_path=None),
            specification=AsyncAPI(title=plan.title, version=__version__),
            logger=None,
            on_startup=[self._build_alone],
            after_startup=[self.life.begin],
            on_shutdown=[self.life.end],
        )

    async def run(
        self,
        log_level: int = logging.INFO,  # noqa: ARG002 (the log has a setting of its own)
        run_extra_options: Mapping[str, Any] | None = None,
    ) -> None:
        """Run this service alone until it is stopped; raises `SystemExit` unless it ends with 0.

        `run_extra_options` may carry `host` and `port`, which win over the settings.
        """
        options = run_extra_options or {}
        port = options.get("port")
        try:
            self.life.prepare(Ground.read(), options.get("host"), None if port is None else int(port))
            code = await run_together([self.life])
        except ExpathubError as error:
            say(error)
            code = error.exit_code
        if code:
            raise SystemExit(code)

    async def _build_alone(self) -> None:
        """Build the engine where a foreign server runs this application; else that has been done."""
        if self.life.is_built:
            return
        try:
            self.life.build(Ground.read())
        except ExpathubError as error:
            say(error)
            raise
