"""The first stage: what becomes of one record that a partner put into its outbox.

Exactly one record comes out, in `hub.journal` or in `hub.refusals`, in this order: read it strictly, ask whether this
sender may say it, compare it with what was accepted before. Whoever was refused finds a receipt in its inbox.

Pure: no Kafka, no clock. `received` (the broker's time) decides what has ended and what is still remembered, so that
a record has the same fate whenever it is processed again.
"""

from __future__ import annotations

from functools import lru_cache

from expathub.core.admission import Gate, refusal_of
from expathub.core.configuration import Configuration
from expathub.core.decode import decode
from expathub.core.event import Event, Refusal
from expathub.core.flags import flags_of
from expathub.core.partners import Partner
from expathub.core.reasons import Flag, Reason
from expathub.core.records import InputRecord, Output
from expathub.core.refusing import duplicate, receipt, refused
from expathub.core.remembered import entry_of, is_same_content, is_within_window, key_of
from expathub.core.stage import Lookup, Step
from expathub.core.times import day, rfc3339
from expathub.core.topic_names import JOURNAL, outbox


class IntakeStage:
    """Accepts or refuses what partners publish; its state is what it remembers of accepted events."""

    def __init__(self, configuration: Configuration) -> None:
        self._gate = Gate(configuration.catalogue)
        self._hub_source = configuration.partners.hub_source
        self._senders = {outbox(partner.id): partner for partner in configuration.partners.by_id.values()}

    def step(self, record: InputRecord, remembered: Lookup[bytes], at_ms: int) -> Step[bytes]:  # noqa: ARG002
        """Say what becomes of `record`; `at_ms` plays no part, only the broker's time does."""
        sender = self._senders[record.position.topic]
        event = decode(record)
        if isinstance(event, Refusal):
            return self._refuse(record, sender, event)
        refusal = self._gate.admit(event, sender, day(record.received_ms))
        if refusal is not None:
            return self._refuse(record, sender, refusal, event.subject)
        key, entry = key_of(event), entry_of(event, record.received_ms)
        known = remembered(key)
        if known is None or not is_within_window(known, record.received_ms):
            flags, noted = flags_of(event, record.received_ms, remembered)
            return Step((_accepted(record, sender, event),), ((key, entry), *noted), _tally(flags))
        if is_same_content(known, entry):
            return Step((duplicate(record, sender, event.subject),), (), ("duplicate",))
        return self._refuse(record, sender, refusal_of(event, Reason.SAME_ID_OTHER_BYTES, "/id"), event.subject)

    def poison(self, record: InputRecord, remembered: Lookup[bytes], at_ms: int) -> Step[bytes]:  # noqa: ARG002
        """Refuse a record on which `step` has died three times, without a look into it."""
        return self._refuse(record, self._senders[record.position.topic], Refusal.because(Reason.POISON))

    def _refuse(self, record: InputRecord, sender: Partner, refusal: Refusal, subject: str = "") -> Step[bytes]:
        outputs = (refused(record, sender, refusal, subject), receipt(record, sender, refusal, self._hub_source))
        return Step(outputs, (), (f"refused:{refusal.reason.value}",))


@lru_cache(maxsize=64)  # flags are few
def _tally(flags: tuple[Flag, ...]) -> tuple[str, ...]:
    """Return the words for an accepted event."""
    return ("accepted", *(f"flagged:{flag.value}" for flag in flags))


def _accepted(record: InputRecord, sender: Partner, event: Event) -> Output:
    """Pass on the event as it was understood, never the bytes as they came (design R7)."""
    headers = (
        ("content-type", b"application/cloudevents+json"),
        ("hub-origin", str(record.position).encode()),
        ("hub-partner", sender.id.encode()),
        ("hub-received-at", rfc3339(record.received_ms).encode()),
    )
    return Output(JOURNAL, event.subject.encode(), event.canonical, headers)
