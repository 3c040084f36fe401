"""The partner that a command acts as."""

from __future__ import annotations

from difflib import get_close_matches

from expathub.core.partners import Partner
from expathub.errors import UsageError
from expathub.settings import Settings


def known_partner(settings: Settings, partner_id: str) -> Partner:
    """Find a partner by its id; raises `UsageError` that names those there are."""
    from expathub import configuration

    partners = configuration.load(settings.partners, settings.schemas).partners.by_id
    if partner_id in partners:
        return partners[partner_id]
    near = get_close_matches(partner_id, partners, n=1)
    mend = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(sorted(partners))}."
    raise UsageError(f"There is no partner {partner_id!r} in {settings.partners}.", mend)
