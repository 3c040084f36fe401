"""The service dispatch; `faststream run expathub.dispatch.app:app` and `expathub dispatch` are the same thing."""

from __future__ import annotations

from expathub.dispatch.wiring import PLAN
from expathub.shell.service import HubService

app = HubService(PLAN)
