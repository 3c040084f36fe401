"""The whole configuration as one frozen value, read once at start."""

from __future__ import annotations

from dataclasses import dataclass

from expathub.core.catalogue import Catalogue
from expathub.core.partners import Partners


@dataclass(frozen=True, slots=True)
class Configuration:
    """Catalogue and partners. `digest` (hex SHA-256) covers both; `hub-config` on every disclosure carries it."""

    catalogue: Catalogue
    partners: Partners
    digest: str

    @property
    def revision(self) -> int:
        """The revision of `deploy/partners.yaml`: a process never takes a lane that a higher one has had."""
        return self.partners.revision
