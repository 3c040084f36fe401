"""The service intake; `faststream run expathub.intake.app:app` and `expathub intake` are the same thing."""

from __future__ import annotations

from expathub.intake.wiring import PLAN
from expathub.shell.service import HubService

app = HubService(PLAN)
