"""The examples of each event type, and whether they come out as they say.

`examples/v1/*.json` are whole events that the hub accepts from the partner whose `source` they carry.
`examples/refused/*.json` say what is refused and why: `{"expect": code, "pointer": …, "publisher": id, "event": …}`.
They go the way that a record of an outbox goes: decoding, profile, authorisation, schema.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import orjson

from expathub.configuration.catalogue import TypeFiles
from expathub.configuration.faults import Faults
from expathub.configuration.forms import Form, PartnerId, Text, fill
from expathub.configuration.laws import trial
from expathub.configuration.sampling import Wish, sample
from expathub.configuration.tree import Document, Loc, listed, read_json
from expathub.core.admission import Submission, admit
from expathub.core.catalogue import EventType
from expathub.core.configuration import Configuration
from expathub.core.decode import decode
from expathub.core.event import Event, Refusal, split_type
from expathub.core.partners import Partner, Role
from expathub.core.pointers import parse
from expathub.core.reasons import Reason
from expathub.core.records import InputRecord, Position
from expathub.errors import MisconfiguredError

SAMPLES = 5
"""So many invented events of each major are tried beside the examples."""

_HEADERS = (("content-type", b"application/cloudevents+json"),)


class RefusedExample(Form):
    """`examples/refused/*.json`."""

    expect: Text
    pointer: str | None = None
    publisher: PartnerId
    event: dict[str, Any]


@dataclass(slots=True)
class Tally:
    """How much was looked at."""

    types: int = 0
    versions: int = 0
    partners: int = 0
    good: int = 0
    refused: int = 0
    lenses: int = 0


def check_examples(configuration: Configuration, files: Mapping[str, TypeFiles], today: date, faults: Faults) -> Tally:
    """Try all examples, and some samples, of a configuration that could be loaded."""
    reserved = sum(Role.OPERATOR in partner.roles for partner in configuration.partners.by_id.values())
    tally = Tally(types=len(files), partners=len(configuration.partners.by_id) - reserved)
    for name, read in files.items():
        _TypeExamples(configuration, configuration.catalogue.types[name], read, today, faults, tally).check()
    return tally


class _TypeExamples:
    """The examples of one event type."""

    def __init__(
        self,
        configuration: Configuration,
        event_type: EventType,
        read: TypeFiles,
        today: date,
        faults: Faults,
        tally: Tally,
    ) -> None:
        self._configuration, self._type, self._read = configuration, event_type, read
        self._today, self._faults, self._tally = today, faults, tally
        self._senders = {partner.source: partner for partner in configuration.partners.by_id.values()}

    def check(self) -> None:
        """Note every example that comes out otherwise, and every major that has none."""
        good = {major: list(self._good(major)) for major in self._type.versions}
        refused = list(self._documents(self._read.folder / "examples" / "refused"))
        if not refused and self._type.publishers:
            self._about("there is no refused example", "Add examples/refused/<what is wrong>.json")
        for document in refused:
            self._refused(document)
        for older, lens in self._read.lenses.items():
            self._tally.lenses += 1
            for source, target in ((older, older + 1), (older + 1, older)):
                trials = [(document, trial(self._type, lens, source, target, data)) for document, data in good[source]]
                for document, result in trials:
                    if result.broken:
                        what = f"the lens breaks its law here: {result.broken}"
                        self._faults.add(document.file, document.line(("data",)), what, "Correct the lens")
                if trials and not any(result.carried for _, result in trials):
                    what = f"no example of v{source} can be carried to v{target}"
                    self._about(what, "Add an ordinary example, or correct the lens")
        self._samples()

    def _good(self, major: int) -> Iterator[tuple[Document, Any]]:
        self._tally.versions += 1
        documents = list(self._documents(self._read.folder / "examples" / f"v{major}"))
        if not documents:
            self._about(f"major {major} has no example", f"Add examples/v{major}/<what happens>.json")
        for document in documents:
            self._tally.good += 1
            event = document.value if isinstance(document.value, dict) else {}
            if event.get("type") != f"{self._type.name}.v{major}":
                what = f"this is no event of {self._type.name}.v{major}"
                self._faults.add(document.file, document.line(("type",)), what, "Correct its `type`, or move the file")
                continue
            refusal = (
                self._refusal(event, self._senders.get(str(event.get("source"))), self._day(major))
                if self._type.publishers
                else self._said_by_hub(event, major)
            )
            if refusal is not None:
                loc = parse(refusal.pointer)
                what = f"the hub refuses this example: {refusal.reason.value} at {refusal.pointer or 'the event'}"
                self._faults.add(document.file, document.line(_indexes(loc)), what, f"Correct it. {refusal.detail}")
                continue
            yield document, event["data"]

    def _refused(self, document: Document) -> None:
        self._tally.refused += 1
        form = fill(RefusedExample, document, self._faults)
        if form is None:
            return
        file, line = document.file, document.line(("expect",))
        partner = self._configuration.partners.by_id.get(form.publisher)
        if form.expect not in {reason.value for reason in Reason}:
            self._faults.add(file, line, f"`{form.expect}` is no reason code", "See docs/reason-codes.md")
            return
        if partner is None:
            self._faults.add(file, document.line(("publisher",)), "there is no such partner", "Correct the id")
            return
        refusal = self._refusal(form.event, partner, self._day_of(form))
        if refusal is None:
            self._faults.add(file, line, "the hub accepts this example", "Correct it, or move it to the good ones")
        elif refusal.reason.value != form.expect:
            self._faults.add(file, line, f"it is refused as {refusal.reason.value}", "Correct `expect` or the event")
        elif form.pointer is not None and refusal.pointer != form.pointer:
            what = f"the pointer is {refusal.pointer or 'empty'}"
            self._faults.add(file, document.line(("pointer",)), what, "Correct `pointer` or the event")

    def _refusal(self, event: Mapping[str, Any], sender: Partner | None, received_on: date) -> Refusal | None:
        """Say why intake would refuse an event of this sender."""
        decoded = _decode(event)
        if isinstance(decoded, Refusal):
            return decoded
        if sender is None:
            return Refusal.because(Reason.NOT_YOUR_SOURCE, "/source")
        return admit(Submission.of(decoded, sender, self._configuration.catalogue, received_on))

    def _said_by_hub(self, event: Mapping[str, Any], major: int) -> Refusal | None:
        """Say what is wrong with an event that only the hub itself says: nobody is authorised, the schema holds."""
        decoded = _decode(event)
        if isinstance(decoded, Refusal):
            return decoded
        fault = self._type.versions[major].validate(decoded.data)
        return Refusal.because(Reason.SCHEMA, fault.pointer) if fault else None

    def _day(self, major: int) -> date:
        """Return a day on which the major was live, so that an example outlives its version."""
        ended = self._type.versions[major].ended
        return min(self._today, ended - timedelta(days=1)) if ended else self._today

    def _day_of(self, refused: RefusedExample) -> date:
        """Return the day on which an example is refused: today, if it is because its version is retired."""
        reference = split_type(str(refused.event.get("type")))
        if reference is None or reference.major not in self._type.versions:
            return self._today
        return self._today if refused.expect == Reason.RETIRED_VERSION.value else self._day(reference.major)

    def _samples(self) -> None:
        """Try invented events; who sends them is the first that can."""
        if not self._type.publishers:
            return
        for major, version in self._type.versions.items():
            if version.ended is not None and version.ended <= self._today:
                continue
            try:
                for event in sample(self._configuration, Wish(self._type.name, major, SAMPLES), self._today):
                    refusal = self._refusal(event, self._senders[event["source"]], self._today)
                    if refusal is not None:
                        self._about(f"a sample of v{major} is refused: {refusal.reason.value}", "Correct the schema")
                    self._carry(major, event["data"])
            except MisconfiguredError as problem:
                self._about(f"no sample can be made ({problem.what.rstrip('.')})", problem.mend or "Correct the schema")

    def _carry(self, major: int, data: Any) -> None:
        """Try the lenses of a major on a sample."""
        for target in (major - 1, major + 1):
            lens = self._read.lenses.get(min(major, target))
            broken = trial(self._type, lens, major, target, data).broken if lens else None
            if broken is not None:
                what = f"the lens breaks its law on a sample of v{major}: {broken}"
                self._about(what, "Correct the lens, or the schema that it leads to")

    def _documents(self, folder: Path) -> Iterator[Document]:
        for file in listed(folder, self._faults) if folder.is_dir() else ():
            if file.suffix != ".json":
                self._faults.add(file, 1, "this is no example", "Name it <what happens>.json, or move it")
                continue
            document = read_json(file, self._faults)
            if document is not None:
                yield document

    def _about(self, what: str, mend: str) -> None:
        self._faults.add(self._read.about.file, self._read.about.line(("versions",)), what, mend)


def _decode(event: Mapping[str, Any]) -> Event | Refusal:
    return decode(InputRecord(Position("outbox.example", 0, 0), None, orjson.dumps(event), _HEADERS, 0))


def _indexes(path: tuple[str, ...]) -> Loc:
    return tuple(int(part) if part.isdigit() else part for part in path)
