"""The rules of single fields: what is one, what is none, and that nothing is made up."""

from __future__ import annotations

import re
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expathub.configuration.tables import shipped_tables
from expathub.core.identifiers import is_a_number, is_v_number
from expathub.core.values.addresses import normal_postcode
from expathub.core.values.dates import IncompleteDate, read_digits, read_object
from expathub.core.values.formats import NAMES, formats
from expathub.core.values.tables import Row, Table, Tables
from expathub.core.values.titles import gives_residence

TABLES = shipped_tables()
FORMATS = formats(TABLES)
DAY = date(2026, 11, 24)

GOOD = {
    "bsn": ["999990342", "999993653", "000000012"],
    "a-nummer": ["0912010149", "0912010153"],
    "v-nummer": ["0987654321", "0000000000"],
    "oin": ["00000099000000935000", "00000001822477348000", "00000008000000000000"],
    "brp-datum": ["20260301", "20240229", "19780300", "19680000", "00000000"],
    "brp-naam": ["Ilse", "D'Arcy-O'Neill", "Jr. 2", "Šimková", "É", "x" * 200],
    "brp-voorvoegsel": ["van der", "in 't", "de"],
    "postcode": ["6211DW", "6211 DW", "6211dw", "9999ZZ"],
    "huisnummer": ["1", "10", "99999"],
    "huisletter": ["a", "Z"],
    "huisnummertoevoeging": ["bis", "3 hg", "-2", "0"],
    "taal": ["nl", "en", "nl-BE", "pt-BR", "zh-Hant-TW", "es-419", "de-1996", "sl-rozaj-biske", "hsb"],
    "gemeentecode": ["0935", "0936", "0363", "1711"],
    "gemeentecode-actueel": ["0935", "1954", "0363"],
    "nationaliteitcode": ["0001", "0312", "0002", "0499"],
    "landcode": ["6030", "5010", "9089", "6029", "5003"],
    "landcode-iso": ["NL", "BE", "DE"],
    "verblijfstitel": ["21", "46"],
}
NONE_OF_THEM = {
    "bsn": ["000000000", "999999999", "99999034", "999 990 342", "999990343"],
    "a-nummer": ["0912010148", "1122334455", "0912010159", "912010149", "09120101490", "0912010l49", "0000000000"],
    "v-nummer": ["098765432", "09876543210", "V987654321", "\uff10987654321"],
    "oin": ["000000990000009350000", "0000009900000093500", "00000005000000000000", "0000009900000093500x"],
    "brp-datum": [
        *("19780015", "20250231", "20260229", "00000301", "20261301", "20260132", "2026-03-01", "2026030", "x"),
        "\uff12\uff10260301",
    ],
    "brp-naam": ["", "   ", "Nguyễn", "Ilse\n", "e\u0301", "x" * 201, "Ilse;", "李"],
    "brp-voorvoegsel": ["", " ", "van der vande", "v.d.", "2e"],
    "postcode": ["0211DW", "6211", "6211D", "6211  DW", "6211-DW", "6211D1", "DW6211", ""],
    "huisnummer": ["0", "00", "01", "100000", "-1", "1a", "", "\u0661"],
    "huisletter": ["", "ab", "1", "é"],
    "huisnummertoevoeging": ["", "  ", "abcde", "a/b", "é"],
    "taal": ["NL", "nl-be", "english", "e", "nl_BE", "en-US-US", "de-1996-1996", "x-secret", "nl-" + "abcdefgh-" * 4],
    "gemeentecode": ["0000", "1999", "935", "GM0935", "09351", "abcd", ""],
    "gemeentecode-actueel": ["0000", "1999", "0936", "0619", "93"],
    "nationaliteitcode": ["0000", "NL", "1"],
    "landcode": ["0000", "DE", "503"],
    "landcode-iso": ["nl", "NLD", "6030", ""],
    "verblijfstitel": ["00", "98", "39", "99", "2", "021"],
}


def test_every_format_has_examples_and_refusals() -> None:
    assert GOOD.keys() == NONE_OF_THEM.keys() == NAMES == FORMATS.keys()


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in GOOD.items() for text in texts])
def test_a_value_of_a_format_is_taken(name: str, text: str) -> None:
    assert FORMATS[name](text)


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in NONE_OF_THEM.items() for text in texts])
def test_another_value_is_refused(name: str, text: str) -> None:
    assert not FORMATS[name](text)


@given(st.sampled_from(sorted(NAMES)), st.text(max_size=40))
def test_whatever_the_text_a_format_answers(name: str, text: str) -> None:
    assert FORMATS[name](text) in (True, False)


def test_the_page_for_authors_lists_every_format() -> None:
    page = (Path(__file__).parents[2] / "docs/adding-an-event-type.md").read_text("utf-8")
    table = page[page.index("| format |") : page.index("The national tables are files")]

    assert set(re.findall(r"`([a-z-]+)`", re.sub(r"\|[^|]*\|\n", "|\n", table))) == NAMES


# --- numbers


@pytest.mark.parametrize(
    ("number", "broken"),
    [
        ("0912010149", None),
        ("0912010249", "sum"),  # one digit more
        ("9012010149", "weights"),  # two digits exchanged: the sum stays
        ("1121010149", "neighbours"),
    ],
)
def test_each_rule_of_an_a_number_counts(number: str, broken: str | None) -> None:
    digits = [int(digit) for digit in number]
    kept = {
        "neighbours": all(one != other for one, other in pairwise(digits)),
        "sum": sum(digits) % 11 in (0, 5),
        "weights": sum(2**place * digit for place, digit in enumerate(digits)) % 11 == 0,
    }

    assert is_a_number(number) is all(kept.values())
    assert broken is None or not kept[broken]


@given(st.integers(0, 10**10 - 1))
def test_about_one_in_sixty_numbers_is_an_a_number_and_none_has_equal_neighbours(number: int) -> None:
    text = f"{number:010}"

    assert is_v_number(text)
    if is_a_number(text):
        assert all(one != other for one, other in pairwise(text))


# --- dates

DATES = st.one_of(
    st.just(IncompleteDate()),
    st.builds(IncompleteDate, st.integers(1, 9999)),
    st.builds(IncompleteDate, st.integers(1, 9999), st.integers(1, 12)),
    st.dates().map(lambda day: IncompleteDate(day.year, day.month, day.day)),
)


@given(DATES)
def test_a_date_comes_back_from_both_forms_as_much_known_as_it_was(found: IncompleteDate) -> None:
    assert read_digits(str(found)) == found
    assert read_object(found.as_object()) == found


@pytest.mark.parametrize(
    ("digits", "written"),
    [
        ("20260301", {"type": "Datum", "datum": "2026-03-01"}),
        ("20260300", {"type": "JaarMaandDatum", "jaar": 2026, "maand": 3}),
        ("20260000", {"type": "JaarDatum", "jaar": 2026}),
        ("00000000", {"type": "DatumOnbekend", "onbekend": True}),
    ],
)
def test_the_two_forms_say_the_same(digits: str, written: dict[str, Any]) -> None:
    found = read_digits(digits)

    assert found is not None
    assert found.as_object() == written


@pytest.mark.parametrize(
    "written",
    [
        {},
        {"type": "Eeuw", "jaar": 2026},
        {"type": "Datum", "datum": "2026-02-30"},
        {"type": "Datum", "datum": "2026-03-00"},
        {"type": "Datum", "datum": "20260301"},
        {"type": "Datum", "datum": 20260301},
        {"type": "Datum", "datum": "2026-03-01", "jaar": 2026},
        {"type": "JaarDatum", "jaar": True},
        {"type": "JaarDatum", "jaar": 0},
        {"type": "JaarDatum", "jaar": 10_000},
        {"type": "JaarDatum"},
        {"type": "JaarMaandDatum", "jaar": 2026, "maand": 0},
        {"type": "JaarMaandDatum", "jaar": 2026, "maand": 13},
        {"type": "DatumOnbekend", "onbekend": False},
        {"jaar": 2026},
    ],
)
def test_an_object_that_is_no_date_is_none(written: dict[str, Any]) -> None:
    assert read_object(written) is None


# --- addresses


@pytest.mark.parametrize(("text", "normal"), [("6211dw", "6211DW"), ("6211 DW", "6211DW"), ("0211DW", None)])
def test_a_postcode_has_one_spelling_to_compare(text: str, normal: str | None) -> None:
    assert normal_postcode(text) == normal


# --- tables


def test_a_merged_municipality_has_a_successor_from_the_day_of_the_merger_on() -> None:
    table = TABLES.municipalities

    assert table.successor("0936", date(2010, 12, 31)) == "0936"
    assert table.successor("0936", date(2011, 1, 1)) == "1903"
    assert table.successor("0935", DAY) == "0935"
    assert table.successor("9999", DAY) == "9999"


def test_predecessors_are_found_through_several_mergers() -> None:
    rows = [Row("0001", "a", until=DAY, successor="0002"), Row("0002", "b", until=DAY, successor="0003")]
    table = Table(33, 4, DAY, is_complete=True, rows={row.code: row for row in [*rows, Row("0003", "c")]})

    assert table.predecessors("0003") == {"0001", "0002"}
    assert table.predecessors("0001") == frozenset()
    assert table.successor("0001", DAY) == "0003"
    assert TABLES.municipalities.predecessors("1954") == {"0881", "0951", "0962"}


def test_a_circle_of_successors_ends() -> None:
    rows = [Row("0001", "a", until=DAY, successor="0002"), Row("0002", "b", until=DAY, successor="0001")]
    table = Table(33, 4, DAY, is_complete=True, rows={row.code: row for row in rows})

    assert table.successor("0001", DAY) in {"0001", "0002"}
    assert table.predecessors("0001") == {"0001", "0002"}


def test_a_complete_table_knows_every_code_and_another_trusts_the_form_of_the_rest() -> None:
    assert not TABLES.titles.names("39")
    assert TABLES.municipalities.names("0363")
    assert not TABLES.municipalities.names("36")


def test_a_code_holds_from_its_first_day_to_the_day_before_its_last() -> None:
    row = Row("0001", "a", since=DAY, until=DAY + timedelta(days=2))

    assert [row.holds_on(DAY + timedelta(days=days)) for days in range(-1, 3)] == [False, True, True, False]
    assert Row("0001", "a").holds_on(DAY)


def test_countries_have_iso_codes_both_ways_and_the_closed_one_is_read_and_never_written() -> None:
    table = TABLES.countries

    assert table.iso("6029") == table.iso("9089") == "DE"
    assert table.code_of("DE") == "9089"
    assert {table.iso(row.code) for row in table.rows.values() if not row.is_special} == {
        *("NL", "BE", "DE", "US", "CN", "IN"),
    }
    for row in table.rows.values():
        if row.iso and row.holds_on(table.as_of):
            assert table.code_of(row.iso) == row.code
    assert table.iso("1234") is None
    assert table.code_of("XX") is None


def test_nationalities_have_iso_codes_both_ways_where_there_is_a_country() -> None:
    table = TABLES.nationalities
    both_ways = {row.code: row.iso for row in table.rows.values() if row.iso}

    assert {code: table.iso(code) for code in both_ways} == both_ways
    assert {table.code_of(iso) for iso in both_ways.values()} == both_ways.keys()
    assert table.iso("0499") is None  # stateless: no country


def test_with_a_complete_table_a_country_must_stand_in_it() -> None:
    whole = Table(34, 4, DAY, is_complete=True, rows=TABLES.countries.rows)
    strict = formats(Tables(TABLES.nationalities, TABLES.municipalities, whole, TABLES.titles))

    assert strict["landcode-iso"]("BE")
    assert not strict["landcode-iso"]("FR")
    assert not strict["landcode"]("5003")


@pytest.mark.parametrize(
    ("code", "until"), [("23", DAY), ("23", DAY - timedelta(days=1)), ("98", None), ("00", None), ("39", None)]
)
def test_a_title_that_ends_today_has_ended_and_no_title_gives_nothing(code: str, until: date | None) -> None:
    assert not gives_residence(TABLES.titles, code, until, DAY)


@pytest.mark.parametrize("until", [None, DAY + timedelta(days=1)])
def test_a_title_gives_a_right_as_long_as_its_end_is_still_to_come(until: date | None) -> None:
    assert gives_residence(TABLES.titles, "23", until, DAY)
