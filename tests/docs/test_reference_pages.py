"""Pages that are made of the code say what the code says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from expathub import logs, metrics, settings

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(
    ("name", "page"),
    [("logs.md", logs.page), ("metrics.md", metrics.page), ("settings.md", settings.page)],
    ids=["logs", "metrics", "settings"],
)
def test_the_page_is_up_to_date(name: str, page: Callable[[], str]) -> None:
    assert page() == (DOCS / name).read_text("utf-8"), (
        f"run: python -m expathub.{name.removesuffix('.md')} > docs/{name}"
    )
