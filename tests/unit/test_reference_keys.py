"""The key file of the pairwise references."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from expathub.errors import MisconfiguredError
from expathub.shell import reference_keys

KEY = "ab" * 32


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_new_file_holds_one_key_that_only_its_owner_reads(tmp_path: Path) -> None:
    path = tmp_path / "var" / "reference.key"

    assert reference_keys.make(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(reference_keys.load(path).numbered) == [1]


def test_two_new_files_hold_different_keys(tmp_path: Path) -> None:
    reference_keys.make(tmp_path / "a")
    reference_keys.make(tmp_path / "b")

    assert reference_keys.load(tmp_path / "a") != reference_keys.load(tmp_path / "b")


def test_a_file_that_is_there_is_never_touched(tmp_path: Path) -> None:
    path = write(tmp_path / "reference.key", f"7:{KEY}\n")

    assert not reference_keys.make(path)
    assert path.read_text() == f"7:{KEY}\n"


def test_a_broken_file_is_refused_with_its_line_and_without_the_key(tmp_path: Path) -> None:
    path = write(tmp_path / "reference.key", f"1:{KEY}\n1:{KEY}\n")

    with pytest.raises(MisconfiguredError, match=r"reference\.key: line 2 ") as raised:
        reference_keys.load(path)

    assert KEY not in str(raised.value)


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "reference.key", f"1:{KEY}\n", 0o640)

    with pytest.raises(MisconfiguredError, match="chmod 600"):
        reference_keys.load(path)


def test_a_missing_file_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(MisconfiguredError, match="provision apply"):
        reference_keys.load(tmp_path / "reference.key")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "reference.key"
    path.write_bytes(b"\xff\xfe")
    path.chmod(0o600)

    with pytest.raises(MisconfiguredError, match="cannot be read"):
        reference_keys.load(path)
