"""The tour has one line for every folder that a newcomer sees, and none for a folder that is gone."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
DEPTH = {"services": 3, "schemas": 1, "docs": 2, "tests": 2, "deploy": 2}
"""How deep the tour goes under each folder; one level elsewhere."""


def folders() -> set[str]:
    """Return the folders of the repository down to the tour's depth."""
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = set()
    for file in files.splitlines():
        parts = Path(file).parts[:-1]
        found |= (
            {"/".join(parts[:depth]) + "/" for depth in range(1, min(len(parts), DEPTH.get(parts[:1][0], 1)) + 1)}
            if parts
            else set()
        )
    return found


def test_every_folder_has_one_line_in_the_tour() -> None:
    rows = re.findall(r"^\| `([^`]+/)` \|", (ROOT / "docs/tour.md").read_text("utf-8"), re.MULTILINE)

    assert [] == sorted(folders() - set(rows)), "not in the tour"
    assert len(set(rows)) == len(rows)
    assert [] == [row for row in rows if not (ROOT / row).is_dir()], "in the tour, and gone"
