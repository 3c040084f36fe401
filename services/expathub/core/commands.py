"""What an operator orders about a dossier: release what waits, put it aside, erase what is remembered.

Pure. A command takes its place in the dossier's order, has no recipient and is never held. It may withhold or tell
what waits, and never adds a recipient (design §5).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from msgspec.structs import replace

from expathub.core.accounting import DOSSIER
from expathub.core.case import Case
from expathub.core.catalogue import Command
from expathub.core.dossier import Dossier, Unfolded, Wait
from expathub.core.event import Event
from expathub.core.holding import Rules, settle
from expathub.core.notice import Notice
from expathub.core.reasons import Held, Withheld

Handle: TypeAlias = Callable[[Case, Notice], None]
"""Dispatch itself: what is done with an event as soon as it may be folded."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is meant; no partner means all of them, no positions mean all that waits."""

    partner: str | None = None
    positions: frozenset[str] | None = None

    @classmethod
    def of(cls, event: Event) -> Order:
        """Read the data of a command; its schema has been checked by intake."""
        positions = event.data.get("positions")
        return cls(event.data.get("partner"), None if positions is None else frozenset(positions))

    def covers(self, position: str, partner: str | None) -> bool:
        """Tell whether what waits at a position for a partner (None: for nobody yet) is meant."""
        return self.partner in (None, partner) and (self.positions is None or position in self.positions)

    def names(self, position: str) -> bool:
        """Tell whether the order says this position, and means nobody in particular."""
        return self.partner is None and self.positions is not None and position in self.positions


def obey(case: Case, rules: Rules, notice: Notice, command: Command, handle: Handle) -> None:
    """Carry out the command that `notice` is."""
    case.withhold(notice, None, Withheld.COMMAND)
    case.order(notice)
    CARRY_OUT[command](case, rules, Order.of(notice.event), handle)


def keep_unfolded(case: Case, notice: Notice, code: Held) -> None:
    """Keep an event that may not be folded: poison, or what comes behind it in its dossier."""
    if not case.has_room(notice):
        # Whatever it says of the person is lost to the dossier: from here on nothing leaves government (fail closed).
        case.withhold(notice, None, Withheld.HELD_FULL, DOSSIER)
        case.dossier = replace(case.dossier, has_gap=True)
        return
    case.dossier = replace(
        case.dossier,
        unfolded=(*case.dossier.unfolded, Unfolded(notice.position, code is Held.POISON)),
        kept={**case.dossier.kept, notice.position: notice.kept},
    )
    case.park(notice, None, Wait(notice.position, None, "", code.value, case.at_ms, DOSSIER))


def _release(case: Case, rules: Rules, order: Order, handle: Handle) -> None:
    settle(case, rules, released=order.covers)
    _unfold(case, rules, handle, is_freed=lambda item: order.covers(item.position, None), is_dropped=lambda _: False)


def _discard(case: Case, rules: Rules, order: Order, handle: Handle) -> None:
    """Put aside what waits; of what is unfolded only the poison, unless the order names more: the rest is folded."""

    def is_dropped(item: Unfolded) -> bool:
        return order.names(item.position) or (item.is_poison and order.covers(item.position, None))

    settle(case, rules, discarded=order.covers)
    _unfold(case, rules, handle, is_freed=lambda _: False, is_dropped=is_dropped)


def _erase(case: Case, rules: Rules, _order: Order, handle: Handle) -> None:
    """Forget the dossier: what waits is put aside, who was told is forgotten; only secrecy, which protects, stays.

    A gap ends too: it is for an operator to know what the event said that could not be kept.
    """
    settle(case, rules, discarded=lambda _position, _partner: True)
    _unfold(case, rules, handle, is_freed=lambda _: False, is_dropped=lambda _: True)
    case.dossier = Dossier(secrecy=case.dossier.secrecy)


CARRY_OUT: Mapping[Command, Callable[[Case, Rules, Order, Handle], None]] = {
    Command.RELEASE: _release,
    Command.DISCARD: _discard,
    Command.ERASE: _erase,
}
"""What each command does."""


def _unfold(
    case: Case,
    rules: Rules,
    handle: Handle,
    is_freed: Callable[[Unfolded], bool],
    is_dropped: Callable[[Unfolded], bool],
) -> None:
    """Fold what is unfolded, in order, up to poison that stays."""
    waiting = case.dossier.unfolded
    for index, item in enumerate(waiting):
        if item.is_poison and not (is_freed(item) or is_dropped(item)):
            return
        notice = _taken_out(case, rules, item, waiting[index + 1 :])
        if is_dropped(item):
            case.withhold(notice, None, Withheld.DISCARDED, DOSSIER)
        else:
            handle(case, notice)


def _taken_out(case: Case, rules: Rules, item: Unfolded, rest: tuple[Unfolded, ...]) -> Notice:
    others = dict(case.dossier.kept)
    notice = rules.notice(case.subject, item.position, others.pop(item.position), waits=DOSSIER)
    case.dossier = replace(case.dossier, unfolded=rest, kept=others)
    return notice
