"""Random journeys through both stages: what must hold after every single record, whatever happened before.

The rules are checked by two readers of the topics that know nothing of the stages: the accounting of the core, and
the judge that partners get (`expathub.testing`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from expathub.core.accounting import DOSSIER, violations
from expathub.core.catalogue import Grant, Selector, SelectorKind, Version
from expathub.core.configuration import Configuration
from expathub.core.partners import OUTSIDE_GOVERNMENT, Partner, Role
from expathub.testing.history import History, pointers
from expathub.testing.in_memory import MemoryHub
from expathub.testing.judgement import account
from expathub.testing.small_world import (
    CODES,
    ELSEWHERE,
    KEYS,
    START_MS,
    configuration,
    event,
    partners,
    subject,
    types,
)

DOSSIERS = (1, 2)
STUCK = ("aankomst", "vergunning", "document", "doorverwijzing", "correctie", "intrekking")
SENDERS = {
    "aankomst": ("expat-centre",),
    "vergunning": ("ind",),
    "document": ("ind",),
    "inschrijving": ("maastricht", "heerlen"),
    "verhuizing": ("maastricht", "heerlen", "vaals"),
    "correctie": ("ind", "expat-centre", "maastricht"),
    "doorverwijzing": ("expat-centre",),
    "vervolg": ("expat-centre",),
    "intrekking": ("expat-centre",),
    "artikel": ("portal", "expat-centre"),
    "aantekening": ("ind",),
    "rondschrijven": ("ind",),
    "vrijgegeven": ("hub-operator",),
    "weggelegd": ("hub-operator",),
    "gewist": ("hub-operator",),
}


def world(stuck: frozenset[str], revision: int) -> Configuration:
    """Make the configuration in which the types called `stuck` cannot be carried to who reads them."""
    kinds = types()
    for name in STUCK:
        kind = kinds[name]
        kinds[name] = replace(
            kind,
            versions={1: kind.versions[1], 2: Version(2, {}, kind.versions[1].validate)},
            grants=tuple(replace(grant, fields={1: grant.fields[1], 2: grant.fields[1]}) for grant in kind.grants),
            lenses={} if name in stuck else {(1, 2): dict, (2, 1): dict},
        )
    to_municipalities = Grant(Selector(SelectorKind.ROLE, Role.MUNICIPALITY), "g", "", {1: ("/data/doel",)})
    kinds["rondschrijven"] = replace(kinds["document"], name="nl.proef.rondschrijven", grants=(to_municipalities,))
    kinds["rondschrijven"] = replace(kinds["rondschrijven"], versions={1: kinds["document"].versions[1]})
    return configuration(kinds, digest=f"digest-{revision}", revision=revision)


@dataclass(frozen=True)
class Act:
    """One thing that happens: an event with its circumstances, or nothing but time and a change of configuration."""

    kind: str
    dossier: int
    sender: int
    where: str
    partner: str | None
    number: int
    level: int
    minutes: int
    is_poison: bool
    is_bad: bool
    stuck: frozenset[str] | None


OFTEN = ("aankomst", "vergunning", "document", "doorverwijzing", "correctie", "vrijgegeven")
"""What makes things wait and go on again; the rest happens now and then."""

ACTS = st.builds(
    Act,
    kind=st.sampled_from([*OFTEN, *OFTEN, *sorted(SENDERS)]),
    dossier=st.sampled_from([1, 1, 1, 2]),
    sender=st.integers(0, 2),
    where=st.sampled_from([*CODES.values(), ELSEWHERE]),
    partner=st.sampled_from([None, None, None, "aachen", "aachen", "gip", "expat-centre", "maastricht"]),
    number=st.integers(0, 40),
    level=st.sampled_from([0, 0, 0, 4]),
    minutes=st.sampled_from([0, 0, 1, 30]),
    is_poison=st.sampled_from([False] * 19 + [True]),
    is_bad=st.sampled_from([False] * 19 + [True]),
    stuck=st.sampled_from([None] * 8 + [frozenset(), *map(frozenset, (STUCK, STUCK[:3], STUCK[2:4], STUCK[1:5:3]))]),
)


class Journey:
    """A hub to which acts happen."""

    def __init__(self) -> None:
        self.revision = 1
        self.hub = MemoryHub(world(frozenset(), 1), KEYS, START_MS)
        self.count = 0

    def happen(self, act: Act) -> None:
        self.hub.now_ms += act.minutes * 60_000
        if act.stuck is not None:
            self.revision += 1
            self.hub.reconfigure(world(act.stuck, self.revision), KEYS)
        sender = SENDERS[act.kind][act.sender % len(SENDERS[act.kind])]
        name = "document" if act.kind == "rondschrijven" else act.kind
        self.count += 1
        sent = event(name, sender, act.dossier, f"e-{self.count}", self._data(act, sender))
        if act.kind == "rondschrijven":
            sent["type"] = "nl.proef.rondschrijven.v1"
        if act.number % 5 == 0 and name not in ("vrijgegeven", "weggelegd", "gewist"):
            sent["expirytime"] = f"2026-09-21T14:{13 + act.number:02d}:30Z"
        self.hub.publish(sender, sent, is_poison=act.is_poison)
        if act.number == 7:
            self.hub.publish(sender, sent)

    def _data(self, act: Act, sender: str) -> Mapping[str, Any]:
        if act.is_bad:
            return {"fout": 1}
        positions = [str(record.position) for record in self.hub.records("hub.journal")]
        chosen = None if act.number % 3 else [positions[act.number % len(positions)]] if positions else []
        own = CODES.get(sender)
        return {
            "gemeente": own or act.where,
            "naar": own or act.where,
            "van": act.where,
            "geheim": act.level,
            "doel": "gvva",
            "datum": "1",
            "naam": "Noor",
            "titel": "Welkom",
            "bsn": "999990342",
            "tot": f"2026-09-21T15:{act.number:02d}:00Z" if act.number % 4 == 0 else None,
            "partner": act.partner,
            "positions": chosen,
            "by": "operator",
            "why": "test",
        }


def outsiders() -> frozenset[str]:
    return frozenset(name for name, partner in partners().items() if partner.roles & OUTSIDE_GOVERNMENT)


def granted(partner: Partner, row: Mapping[str, Any], grants: tuple[Grant, ...]) -> bool:
    """Say whether a grant of the type gives this partner these fields on this ground."""
    return any(
        grant.ground == row["ground"]
        and set(row["fields"]) <= set(grant.fields.get(int(row["type"].rpartition(".v")[2]), ()))
        and (grant.selector.role is None or grant.selector.role in partner.roles)
        for grant in grants
    )


def check_grants(hub: MemoryHub) -> None:
    kinds = {kind.name: kind for kind in world(frozenset(), 1).catalogue.types.values()}
    for row in hub.final():
        if "fields" in row:
            name = row["type"].rpartition(".v")[0]
            assert granted(partners()[row["partner"]], row, kinds[name].grants), row
            told = next(one for one in hub.told(row["partner"]) if one["id"] == row["event"]["id"])
            assert pointers(told["data"], "/data") - {"/data"} == set(row["fields"])


def check_outsiders(hub: MemoryHub) -> None:
    for partner in outsiders():
        for record in hub.inbox(partner):
            value = record.value or b""
            if b"artikel" not in value and record.header("hub-disclosure"):
                assert not any(subject(number).encode() in value for number in DOSSIERS)
            assert b"999990342" not in value


def check_waits(hub: MemoryHub) -> None:
    """What the topics say waits is what the dossiers hold, no more and no less."""
    said = {(row.journal, row.partner, row.waits == DOSSIER) for row in hub.waiting()}
    held = set()
    for dossier in filter(None, (hub.dossier(subject(number)) for number in DOSSIERS)):
        held |= {(wait.position, wait.partner, False) for wait in dossier.waits}
        held |= {(one.position, None, True) for one in dossier.unfolded}
        assert dossier.kept.keys() == {position for position, _, _ in held if position in dossier.kept}
    assert said == held


def check(hub: MemoryHub) -> None:
    assert violations(hub.books()) == []
    assert account(History.of(hub.everything())).findings == ()
    check_grants(hub)
    check_outsiders(hub)
    check_waits(hub)


class Journeys(RuleBasedStateMachine):
    """After every act: all accounted for, in order, within the grants, and held as said."""

    @initialize()
    def begin(self) -> None:
        self.journey = Journey()

    @rule(stuck=st.sampled_from([frozenset(STUCK), frozenset(STUCK[2:4]), frozenset(STUCK[:2])]))
    def lenses_break(self, stuck: frozenset[str]) -> None:
        self.journey.revision += 1
        self.journey.hub.reconfigure(world(stuck, self.journey.revision), KEYS)

    @rule(act=ACTS)
    def happen(self, act: Act) -> None:
        self.journey.happen(act)

    @rule()
    def restart(self) -> None:
        self.journey.hub.restart()

    @rule()
    def release_everything(self) -> None:
        self.journey.happen(
            Act("vrijgegeven", 1, 0, "0935", None, 1, 0, 0, is_poison=False, is_bad=False, stuck=frozenset())
        )
        dossier = self.journey.hub.dossier(subject(1))
        assert dossier is None or not dossier.unfolded
        assert dossier is None or all(wait.code == "residence-unknown" for wait in dossier.waits if not wait.partner)

    @invariant()
    def everything_adds_up(self) -> None:
        check(self.journey.hub)


TestJourneys = Journeys.TestCase
TestJourneys.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


@given(st.lists(ACTS, max_size=30))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_journey_again_gives_the_same_bytes_also_with_a_restart_after_every_record(acts: list[Act]) -> None:
    plain, again, shaken = Journey(), Journey(), Journey()
    for act in acts:
        plain.happen(act)
        again.happen(act)
        shaken.happen(act)
        shaken.hub.restart()

    assert plain.hub.everything() == again.hub.everything() == shaken.hub.everything()


def test_the_checks_are_no_strangers_to_a_fault() -> None:
    """The reader of the topics sees what a stage that doubles, loses or invents a row would write."""
    journey = Journey()
    journey.hub.publish("expat-centre", event("aankomst", "expat-centre", 1, "a", {"gemeente": "0935"}))
    check(journey.hub)
    books = journey.hub.books()

    assert violations(replace(books, disclosures=[*books.disclosures, *list(books.disclosures)[:1]]))
    assert violations(replace(books, disclosures=[]))
    assert violations(replace(books, journal=[]))
    assert orjson.loads(journey.hub.inbox("ind")[0].value or b"")["data"] == {"gemeente": "0935"}
