"""`python -m expathub` is the command `expathub`."""

from __future__ import annotations

from expathub.cli.main import main

main()
