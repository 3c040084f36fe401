"""The table of bad input, case by case, through both stages without Kafka: milliseconds each."""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from functools import cache, partial
from pathlib import Path
from typing import Any

import orjson
import pytest

from expathub.configuration import load
from expathub.configuration.sampling import Wish, sample
from expathub.core.accounting import violations
from expathub.core.catalogue import Version
from expathub.core.cloudevents import KINDS
from expathub.core.configuration import Configuration
from expathub.core.decode import decode
from expathub.core.profile import MUST, SHOULD
from expathub.core.reasons import Reason
from expathub.core.records import InputRecord, Position
from expathub.core.refusing import TRUNCATED_BYTES, WHOLE_BYTES
from expathub.shipped import shipped
from expathub.testing.bad_input import CASES, ON_THE_WIRE, RETIRED, ROWS, Case, ways
from expathub.testing.bad_input.page import page
from expathub.testing.in_memory import MemoryHub
from expathub.testing.small_world import KEYS, START_MS

ROOT = Path(__file__).parents[2]

WANTED = {*range(1, 16), 21, *range(24, 27), *range(29, 40), *range(41, 47), 48, 54, 55, *range(57, 62)} - {40}
"""The rows of the list of bad input that Kafka can bring about."""


@cache
def configuration() -> Configuration:
    """Load the shipped configuration, with one version that has ended."""
    shipped_one = load(shipped("deploy", "partners.yaml"), shipped("schemas"))
    name, major = RETIRED
    types = dict(shipped_one.catalogue.types)
    versions = dict(types[name].versions)
    versions[major] = replace(versions[major], ended=date(2026, 1, 1))
    types[name] = replace(types[name], versions=versions)
    return replace(shipped_one, catalogue=replace(shipped_one.catalogue, types=types))


@pytest.fixture
def hub() -> MemoryHub:
    return MemoryHub(configuration(), KEYS, START_MS + 70 * 86_400_000)  # a month in which the table's `time` is new


def publish(hub: MemoryHub, case: Case) -> Position:
    """Send what the case says, after the good event where it says so."""
    if case.after_good:
        hub.publish(case.sender, case.good())
    message = case.message()
    return hub.publish(case.sender, message.value, message.headers, message.key)


def origins(hub: MemoryHub, topic: str) -> dict[str, InputRecord]:
    return {(record.header("hub-origin") or b"").decode(): record for record in hub.records(topic)}


def texts_of(case: Case) -> Iterator[bytes]:
    """Yield what must not turn up elsewhere: the values of the good event that no code needs."""
    event = case.good()
    yield event["subject"].encode()
    yield from (value.encode() for value in event["data"].values() if isinstance(value, str) and len(value) > 6)


REFUSED = [case for case in CASES if case.reason not in {None, Reason.DUPLICATE}]
ACCEPTED = [case for case in CASES if case.reason is None]
DUPLICATES = [case for case in CASES if case.reason is Reason.DUPLICATE]


@pytest.mark.parametrize("case", REFUSED, ids=[case.name for case in REFUSED])
def test_it_is_refused_with_its_code_and_a_receipt_and_the_next_goes_through(hub: MemoryHub, case: Case) -> None:
    assert case.reason is not None
    message = case.message()
    position = str(publish(hub, case))
    following = str(hub.publish(case.sender, ways.good(case.sender, "the next good event")))

    refusal = origins(hub, "hub.refusals")[position]
    (receipt,) = [receipt for receipt in hub.receipts(case.sender) if receipt["position"] == position]
    assert (refusal.header("hub-code") or b"").decode() == receipt["code"] == case.reason.value
    assert (refusal.header("hub-pointer") or b"").decode() == receipt["pointer"] == case.pointer
    assert position not in origins(hub, "hub.journal")
    assert following in origins(hub, "hub.journal")
    assert violations(hub.books()) == []
    kept = message.value
    if len(kept or b"") > WHOLE_BYTES:
        kept = (kept or b"")[:TRUNCATED_BYTES]
        assert refusal.header("hub-size") == str(len(message.value or b"")).encode()
    assert refusal.value == kept
    told = [record.value or b"" for record in hub.inbox(case.sender)]
    assert not [text for text in texts_of(case) for value in told if text in value]


@pytest.mark.parametrize("case", ACCEPTED, ids=[case.name for case in ACCEPTED])
def test_it_is_accepted_and_only_flagged(hub: MemoryHub, case: Case) -> None:
    message = case.message()
    record = InputRecord(
        Position(f"outbox.{case.sender}", 0, 0), message.key, message.value, message.headers, hub.now_ms
    )
    step = hub.intake.stage.step(record, lambda _: None, hub.now_ms)

    assert step.tally == ("accepted", *(f"flagged:{flag.value}" for flag in case.flags))
    (output,) = step.outputs
    subject = orjson.loads(output.value or b"")["subject"]
    assert output.key == subject.encode()


@pytest.mark.parametrize("case", DUPLICATES, ids=[case.name for case in DUPLICATES])
def test_it_is_counted_as_a_duplicate_and_told_to_nobody(hub: MemoryHub, case: Case) -> None:
    position = str(publish(hub, case))

    refusal = origins(hub, "hub.refusals")[position]
    assert (refusal.header("hub-code"), refusal.value) == (b"duplicate", None)
    assert len(hub.records("hub.journal")) == 1
    assert hub.receipts(case.sender) == []


# --- the table itself --------------------------------------------------------------------------------------------


def test_every_row_has_a_case_or_a_test_on_the_wire() -> None:
    assert set(ROWS) | {one.row for one in ON_THE_WIRE} == WANTED
    assert all(case.row == row for row, (_, cases) in ROWS.items() for case in cases)
    assert all(cases for _, cases in ROWS.values())


def test_no_two_cases_have_one_name() -> None:
    names = [case.name for case in CASES]
    assert sorted(set(names)) == sorted(names)
    assert all(re.match(r"\d\d [a-zA-Z0-9-]", name) for name in names)


def test_what_is_said_of_the_wire_has_a_test_on_a_real_broker() -> None:
    tree = ast.parse((ROOT / "tests/integration/test_bad_input.py").read_text("utf-8"))
    tests = [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    rows = [int(found[1]) for name in tests if (found := re.match(r"test_(\d\d)_", name))]
    assert {one.row for one in ON_THE_WIRE} == set(rows)


def test_the_table_shows_every_code_that_a_record_alone_can_bring_about() -> None:
    from_elsewhere = {
        Reason.PARTNER_ENDED,
        Reason.POISON,
        Reason.PROFILE_SEQUENCE,
        Reason.PROFILE_SEQUENCETYPE,
        Reason.PROFILE_EXPIRYTIME,
        Reason.PROFILE_DATACLASSIFICATION,
    }
    from_elsewhere |= {rule.reason for rule in SHOULD}  # only for partners that are held to them
    assert set(Reason) - from_elsewhere == {case.reason for case in CASES if case.reason}
    assert {rule.reason for rule in MUST} & from_elsewhere  # rules of attributes that the list does not name


def test_the_page_says_what_the_table_says() -> None:
    assert page() == (ROOT / "docs/bad-input.md").read_text("utf-8"), (
        "run: python -m expathub.testing.bad_input.page > docs/bad-input.md"
    )


def test_a_message_shows_nothing_of_itself() -> None:
    assert repr(CASES[0].message()) == "Message()"


def test_a_case_whose_place_in_the_text_is_gone_is_no_case() -> None:
    with pytest.raises(ValueError, match="not found"):
        ways.swapped(b"not there", b"x")(ways.good(ways.CENTRE, "x"))


# --- row 46: text made to keep a pattern busy ------------------------------------------------------------------------

LENGTH = 4_000
HARMLESS = "\u2603" * LENGTH
HOSTILE = [
    *("a" * LENGTH + "!", "9" * LENGTH + "x", "a-" * (LENGTH // 2) + "!", "a." * (LENGTH // 2), "a@" * (LENGTH // 2)),
    *("https://" + "a/" * (LENGTH // 2) + "!", "x@" + "a." * (LENGTH // 2) + "!", " " * LENGTH + "!"),
    *(
        "urn:a:" + "!" * LENGTH + "\n",
        "nl." + "a-" * (LENGTH // 2),
        "urn:nld:oin:" + "0" * LENGTH,
        "2026-" * (LENGTH // 5),
    ),
    *(
        "%" * LENGTH,
        "%25" * (LENGTH // 3),
        "1 " * (LENGTH // 2),
        "\\" * LENGTH,
        "//" + "a" * LENGTH,
        "é" * LENGTH + "!",
    ),
]
RATIO_MAX = 200
"""Reading 4,000 characters a few times, some of them escaped, is so much slower than refusing at the first. A pattern
that tries all ways to read so many would be slower by more than there are atoms."""


def seconds(work: Callable[[], object]) -> float:
    """Return the least time of some rounds: what else the machine does counts least there."""
    times = []
    for _ in range(3):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


def ratio(work: Callable[[str], object]) -> float:
    """Return how much longer the worst of the hostile texts takes than the harmless one of the same length."""
    return max(seconds(partial(work, text)) for text in HOSTILE) / seconds(partial(work, HARMLESS))


def leaves(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every string inside a value, as the container and the key that hold it."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        if isinstance(inner, str):
            yield value, key
        else:
            yield from leaves(inner)


def bent(value: Any, index: int, text: str) -> Any:
    """Return a copy of a value with another text in the place of one of its strings."""
    copy = orjson.loads(orjson.dumps(value))
    container, key = list(leaves(copy))[index]
    container[key] = text
    return copy


VERSIONS = [
    (kind.name, version.major)
    for kind in configuration().catalogue.types.values()
    for version in kind.versions.values()
    if kind.publishers and version.ended is None
]


@pytest.mark.parametrize(("name", "major"), VERSIONS, ids=[f"46 {name}.v{major}" for name, major in VERSIONS])
def test_no_text_keeps_a_pattern_of_the_catalogue_busy(name: str, major: int) -> None:
    version = configuration().catalogue.types[name].versions[major]
    (event,) = sample(configuration(), Wish(name, major), date(2026, 11, 20))

    for index, _ in enumerate(leaves(event["data"])):
        assert ratio(partial(refuse, version, event["data"], index)) < RATIO_MAX


def refuse(version: Version, data: Any, index: int, text: str) -> None:
    """Put a text into a field; whether it fits does not matter."""
    version.validate(bent(data, index, text))


ATTRIBUTES = [*sorted(name for name, kind in KINDS.items() if kind is str), "extra"]


@pytest.mark.parametrize("name", ATTRIBUTES, ids=[f"46 {name}" for name in ATTRIBUTES])
def test_no_text_keeps_the_decoder_busy(name: str) -> None:
    def read(text: str) -> None:
        value = orjson.dumps({**ways.good(ways.CENTRE, "busy"), name: text})
        decode(InputRecord(Position("outbox.expat-centre", 0, 0), None, value, ways.STRUCTURED, 0))

    assert ratio(read) < RATIO_MAX


def test_a_pattern_that_tries_all_ways_would_be_found() -> None:
    careless = re.compile("(?:a|aa)+")

    assert seconds(lambda: careless.fullmatch("a" * 26 + "!")) > RATIO_MAX * seconds(
        lambda: careless.fullmatch("!" * 26)
    )
