"""The state of a dispatch lane: what comes back after a load, and how fast."""

from __future__ import annotations

from time import perf_counter

import pytest

from expathub.core.dossier import BLANK, Dossier, Kept, Told, Unfolded, Wait
from expathub.core.dossiers import MARKER_KEY, Dossiers, encode

FULL = Dossier(
    residence="0935",
    secrecy=3,
    consents={"aachen": None, "gip": 5},
    told={"ind": Told("reference", 2, {"nl.proef.aankomst": ("hub.journal/0/1", "hub.journal/0/9")})},
    kept={"hub.journal/0/4": Kept(b"{}", "ind", "urn:x", "id", "nl.proef.document.v1", 7)},
    waits=(Wait("hub.journal/0/4", "ind", "role:ind", "unreachable-version", 1, "ind", ("gip",)),),
    unfolded=(Unfolded("hub.journal/0/5", is_poison=True),),
    has_gap=True,
)


def test_a_dossier_comes_back_whole() -> None:
    before, after = Dossiers(), Dossiers()
    entries = [(b"a", FULL), (b"b", Dossier(residence="0917"))]
    records = before.pack(entries)
    before.apply(entries)

    for key, value in records:
        after.restore(key, value)

    assert [key for key, _ in records] == [b"a", b"b"]
    assert after.get(b"a") == before.get(b"a") == FULL
    assert after.get(b"c") is None
    assert len(after) == 2


def test_of_several_entries_of_a_dossier_the_last_is_kept() -> None:
    state = Dossiers()

    records = state.pack([(b"a", Dossier(secrecy=1)), (b"a", Dossier(secrecy=2))])
    state.apply([(b"a", Dossier(secrecy=1)), (b"a", Dossier(secrecy=2))])

    assert records == [(b"a", encode(Dossier(secrecy=2)))]
    assert state.get(b"a") == Dossier(secrecy=2)


def test_entries_that_were_packed_and_aborted_leave_nothing_behind() -> None:
    state = Dossiers()
    state.pack([(b"a", Dossier(secrecy=1))])

    assert state.get(b"a") is None
    state.apply([(b"a", Dossier(secrecy=2))])
    assert state.get(b"a") == Dossier(secrecy=2)


def test_a_batch_without_entries_is_one_record_that_changes_nothing() -> None:
    state = Dossiers()

    assert state.pack([]) == [(MARKER_KEY, b"")]
    state.restore(MARKER_KEY, b"")

    assert len(state) == 0


@pytest.mark.parametrize("nothing", [b"", None])
def test_a_blank_dossier_is_forgotten(nothing: bytes | None) -> None:
    state = Dossiers()
    state.apply([(b"a", FULL)])

    assert state.pack([(b"a", BLANK)]) == [(b"a", b"")]
    state.restore(b"a", nothing)
    state.restore(b"a", nothing)

    assert (state.get(b"a"), len(state)) == (None, 0)


def test_a_record_without_a_key_is_no_dossier() -> None:
    with pytest.raises(ValueError, match="has a key"):
        Dossiers().restore(None, b"")


def test_an_older_form_without_the_newest_fields_is_read() -> None:
    state = Dossiers()
    state.restore(b"a", b"\x92\xa40935\x02")  # two fields of an array of eight

    assert state.get(b"a") == Dossier(residence="0935", secrecy=2)


def test_nothing_of_a_person_is_shown() -> None:
    shown = repr((FULL, FULL.kept))

    assert "0935" not in shown
    assert "urn:x" not in shown


def test_twenty_thousand_dossiers_are_loaded_in_a_moment() -> None:
    records = [(f"{number:036d}".encode(), encode(FULL)) for number in range(20_000)]
    state, began = Dossiers(), perf_counter()

    for key, value in records:
        state.restore(key, value)

    assert len(state) == 20_000
    assert perf_counter() - began < 2  # a lane is to be taken over within ten seconds, all told
