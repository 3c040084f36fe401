"""Whole lives: journeys of newcomers through the region, many at a time, as one script. Pure and seeded.

A journey is a generator that does one deed at a time, so that journeys interleave as they do in life. `JOURNEYS` is
the table; each shows something of the hub that the others do not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import cycle
from typing import TypeAlias

from expathub.core.configuration import Configuration
from expathub.core.partners import Role
from expathub.errors import MisconfiguredError
from expathub.testing import contents, mishaps
from expathub.testing.actors import Municipality, Newcomer
from expathub.testing.region import Region
from expathub.testing.script import Publication, Script

AT_A_TIME = 8
"""How many newcomers are on their way at once."""

COUNSELLORS = frozenset({Role.FOREIGN_CENTRE, Role.BORDER_INFO})
"""To whom somebody can be referred."""

_IN_A_ROW = 8
"""How often a municipality does both of its deeds before the next partner has its turn, in a life that never rests."""

TOWNS_MIN = 2
"""Nobody can move within a single municipality."""

CAST = (frozenset({Role.EXPAT_CENTRE}), frozenset({Role.IND}), frozenset({Role.MUNICIPALITY}), COUNSELLORS)
"""Without one of each of these roles there is no play."""

Journey: TypeAlias = Iterator[Publication]


class World:
    """The region, and whose turn it is: every municipality and every partner abroad gets its newcomers."""

    def __init__(self, region: Region) -> None:
        self.region = region
        towns = [town.id for town in region.municipalities]
        region.dice.shuffle(towns)
        self._towns = cycle(towns)
        old_fashioned = [town.id for town in region.municipalities if _reads_moves_in_version_1(town)]
        self.has_old_fashioned_towns = bool(old_fashioned)
        self._old_fashioned = cycle(old_fashioned)
        partners = [actor.partner for actor in region.partners]
        self._abroad = cycle([one.id for one in partners if one.roles & COUNSELLORS])
        self._writers = cycle([one.id for one in partners if region.may_publish(one, contents.ARTICLE)])
        self._mishaps = cycle(mishaps.MISHAPS)
        self._majors = {
            name: cycle(kind.versions) for name, kind in region.configuration.catalogue.types.items()
        }  # every sender is at another version, and all of them are read

    @property
    def town(self) -> str:
        """The next municipality."""
        return next(self._towns)

    @property
    def old_fashioned_town(self) -> str:
        """The next municipality that still reads moves in version 1."""
        return next(self._old_fashioned)

    @property
    def abroad(self) -> str:
        """The next partner to whom somebody can be referred."""
        return next(self._abroad)

    @property
    def writer(self) -> str:
        """The next partner that has something to read."""
        return next(self._writers)

    @property
    def mishap(self) -> str:
        """The next thing that goes wrong."""
        return next(self._mishaps)

    def major(self, kind: str) -> int:
        """Choose the version in which the next event of a type is sent."""
        return next(self._majors[kind])


def _reads_moves_in_version_1(town: Municipality) -> bool:
    return (town.partner.reads or {}).get(contents.MOVE) == 1


def settles(world: World) -> Journey:
    """Arrive, get everything at one appointment, and be referred across the border."""
    ilse = world.region.newcomer()
    yield ilse.arrives(world.town)
    yield world.region.ind.grants_permit(ilse)
    yield world.region.centre.plans_appointment(ilse)
    yield ilse.home.registers(ilse)
    yield ilse.home.assigns_bsn(ilse)
    yield ilse.consents_to(world.abroad)


def moves_on(world: World) -> Journey:
    """Settle, move to another municipality, and have something corrected: who was told before is told that."""
    ilse = world.region.newcomer()
    yield from _registered(world, ilse, world.town)
    yield ilse.consents_to(world.abroad)
    yield ilse.moves_to(world.town)
    yield ilse.home.corrects(ilse)


def gets_permit_first(world: World) -> Journey:
    """Have the permit before anybody knows where to live: it waits for the municipality."""
    ilse = world.region.newcomer()
    yield world.region.ind.grants_permit(ilse)
    yield world.region.centre.plans_appointment(ilse)
    yield ilse.arrives(world.town)
    yield ilse.home.registers(ilse)
    assigned = ilse.home.assigns_bsn(ilse)
    yield assigned
    yield mishaps.resends(ilse, assigned)


def stays_hidden(world: World) -> Journey:
    """Have one's data kept secret: nobody abroad is told, whatever was agreed."""
    ilse = world.region.newcomer()
    yield ilse.arrives(world.town)
    yield ilse.home.registers(ilse, secret=True)
    yield ilse.consents_to(world.abroad)
    yield ilse.home.assigns_bsn(ilse)


def goes_into_hiding(world: World) -> Journey:
    """Be referred, and have one's data kept secret later: from then on nothing more is told abroad."""
    ilse = world.region.newcomer()
    yield from _registered(world, ilse, world.town)
    yield ilse.consents_to(world.abroad)
    yield ilse.home.makes_secret(ilse)
    yield ilse.home.corrects(ilse)


def thinks_better_of_it(world: World) -> Journey:
    """Withdraw a consent: whoever was told must delete it, and a second referral needs a new consent."""
    ilse = world.region.newcomer()
    yield from _registered(world, ilse, world.town)
    yield ilse.consents_to(world.abroad)
    yield ilse.withdraws_consent()
    yield ilse.consents_to(world.abroad)


def moves_some_day(world: World) -> Journey:
    """Leave a municipality that reads moves in version 1 on a day nobody knows: it cannot be told, others can."""
    ilse = world.region.newcomer()
    home = world.old_fashioned_town
    yield from _registered(world, ilse, home)
    yield ilse.moves_to(_another(world, home), some_day=True)
    yield ilse.moves_to(home)
    yield world.region.ind.grants_permit(ilse)  # waits behind: a dossier keeps its order


def meets_old_software(world: World) -> Journey:
    """Move where the new municipality still sends version 1: everybody reads it in the version they chose."""
    ilse = world.region.newcomer()
    home = world.town
    yield from _registered(world, ilse, home)
    yield ilse.moves_to(_another(world, home), in_version_1=True)
    yield ilse.moves_to(_another(world, ilse.home.id))


def meets_bad_luck(world: World) -> Journey:
    """Settle while all kinds of records go wrong: the dossier does not notice."""
    ilse = world.region.newcomer()
    town = world.town
    yield ilse.arrives(town)
    yield mishaps.spoils(ilse, world.mishap)
    yield mishaps.speaks_for_another(ilse, _another(world, town))
    registered = ilse.home.registers(ilse)
    yield registered
    yield mishaps.resends(ilse, registered)
    yield mishaps.spoils(ilse, world.mishap)
    yield mishaps.reuses_id(ilse, registered)
    yield ilse.home.assigns_bsn(ilse)


def applies_in_vain(world: World) -> Journey:
    """Apply for a permit, and not get it: the appointment is off."""
    ilse, region = world.region.newcomer(), world.region
    yield ilse.arrives(world.town)
    yield region.ind.receives_application(ilse, major=world.major(contents.APPLICATION))
    yield region.centre.plans_appointment(ilse)
    yield region.ind.rejects(ilse)
    yield region.centre.cancels_appointment(ilse, major=world.major(contents.CANCELLATION))


def stays_for_years(world: World) -> Journey:
    """Pick up the document, move house, have the permit extended, and leave one day."""
    ilse, ind = world.region.newcomer(), world.region.ind
    yield from _registered(world, ilse, world.town)
    yield ind.has_document_ready(ilse, major=world.major(contents.READY_DOCUMENT))
    yield world.region.centre.hands_over_document(ilse)
    yield ilse.home.moves_within(ilse, major=world.major(contents.MOVE_WITHIN))
    yield ind.extends_permit(ilse, major=world.major(contents.CHANGED_PERMIT))
    yield ilse.home.sees_off(ilse, major=world.major(contents.MOVE_ABROAD))
    yield ind.ends_permit(ilse)


def is_counted(world: World) -> Journey:
    """Be one of many in the figures of a week, for everybody."""
    yield world.region.centre.publishes_statistics(major=world.major(contents.STATISTICS))


def reads(world: World) -> Journey:
    """Find something new to read, for everybody."""
    yield world.region.partner(world.writer).publishes_article()


def never_rests(world: World) -> Journey:
    """Have everything happen again and again, for ever: one dossier with as many events as hundreds of others."""
    ilse = world.region.newcomer()
    yield from _registered(world, ilse, world.town)
    while True:
        yield ilse.consents_to(world.abroad)
        yield ilse.moves_to(_another(world, ilse.home.id))
        for _ in range(_IN_A_ROW):
            yield ilse.home.corrects(ilse)
            yield ilse.home.registers(ilse)
        yield ilse.withdraws_consent()


def _registered(world: World, ilse: Newcomer, town: str) -> Journey:
    yield ilse.arrives(town)
    yield world.region.ind.grants_permit(ilse)
    yield ilse.home.registers(ilse)


def _another(world: World, than: str) -> str:
    town = world.town
    return town if town != than else world.town


JOURNEYS: tuple[Callable[[World], Journey], ...] = (
    settles,
    gets_permit_first,
    moves_on,
    reads,
    meets_bad_luck,
    stays_hidden,
    moves_some_day,
    thinks_better_of_it,
    meets_old_software,
    reads,
    goes_into_hiding,
    applies_in_vain,
    reads,
    stays_for_years,
    is_counted,
)
"""What newcomers live through, in turn."""


@dataclass(frozen=True, slots=True)
class Hot:
    """How many dossiers never rest, and which share of all events is theirs (0 to 1)."""

    dossiers: int = 0
    share: float = 0.0


def write(
    configuration: Configuration, *, events: int, seed: int, now: datetime, run: str = "", hot: Hot | None = None
) -> Script:
    """Write a script of exactly this many records; see `Region` for the other arguments.

    Raises `MisconfiguredError` where the configuration lacks who or what the journeys need.
    """
    region = Region(configuration, seed=seed, now=now, run=run)
    _require(region)
    world = World(region)
    kinds = cycle(kind for kind in JOURNEYS if kind is not moves_some_day or world.has_old_fashioned_towns)
    under_way = [next(kinds)(world) for _ in range(AT_A_TIME)]
    restless = [never_rests(world) for _ in range(hot.dossiers if hot else 0)]
    share = hot.share if hot else 0.0
    while len(region.publications) < events:
        if restless and region.dice.random() < share:
            next(region.dice.choice(restless))
            continue
        place = region.dice.randrange(AT_A_TIME)
        if next(under_way[place], None) is None:
            under_way[place] = next(kinds)(world)
    return region.script()


def _require(region: Region) -> None:
    roles = [actor.partner.roles for actor in region.partners]
    missing = [*contents.TYPES - region.configuration.catalogue.types.keys()]
    missing += [
        " or ".join(sorted(role.value for role in wanted)) for wanted in CAST if not any(wanted & one for one in roles)
    ]
    if len(region.municipalities) < TOWNS_MIN:
        missing.append("a second municipality")
    if missing:
        raise MisconfiguredError(
            f"The configuration has not what newcomers' journeys need: {', '.join(sorted(missing))}.",
            "Use the partners and schemas that are shipped, or add what is missing.",
        )
