"""`expathub schemas diff`, `release` and `convert`, as they are typed."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from expathub.cli.main import main
from expathub.shipped import shipped

Run = Callable[..., tuple[int, list[str], list[str]]]
MOVED = "nl.brp.verhuisd.intergemeentelijk"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run_it(*arguments: str) -> tuple[int, list[str], list[str]]:
        with pytest.raises(SystemExit) as end:
            main(["schemas", *arguments])
        out, err = capsys.readouterr()
        return int(end.value.code or 0), out.splitlines(), err.splitlines()

    return run_it


@pytest.fixture
def schemas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the catalogue that was never released, and the settings that name it."""
    folder = tmp_path / "schemas"
    shutil.copytree(shipped("schemas"), folder)
    (folder / "released.json").unlink(missing_ok=True)
    monkeypatch.setenv("EXPATHUB_PARTNERS", str(shipped("deploy", "partners.yaml")))
    monkeypatch.setenv("EXPATHUB_SCHEMAS", str(folder))
    return folder


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")


def git(folder: Path, *arguments: str) -> None:
    words = ["git", "-C", str(folder), "-c", "user.name=x", "-c", "user.email=x@example.nl", *arguments]
    subprocess.run(words, check=True, capture_output=True)


# --- diff --------------------------------------------------------------------------------------------------------


def test_two_files_are_compared(run: Run, schemas: Path, tmp_path: Path) -> None:
    old, new = schemas / MOVED / "v1.json", tmp_path / "new.json"
    shutil.copy(old, new)
    assert (0, ["0 changes, 0 not compatible."], []) == run("diff", str(old), str(new))

    change(new, '"maximum": 7', '"maximum": 6')
    code, out, _ = run("diff", str(old), str(new), "--json")
    assert code == 1
    assert json.loads(out[0]) == [
        {
            "pointer": "/properties/geheimhouding/maximum",
            "change": "maximum changed",
            "verdict": "breaks-writers",
            "reason": "old writers: larger numbers would not be accepted",
        }
    ]

    code, out, _ = run("diff", str(new), str(old))
    assert code == 1
    assert out[0].startswith("breaks-readers  /properties/geheimhouding/maximum: ")
    assert out[-1] == "1 change, 1 not compatible."


def test_two_folders_are_compared(run: Run, schemas: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(schemas, other)
    change(other / MOVED / "about.yaml", "sunset: 2027-12-31", "sunset: 2027-01-01")

    for places in ((schemas / MOVED, other / MOVED), (schemas, other)):
        code, out, _ = run("diff", *map(str, places), "--json")
        found = json.loads(out[0])
        assert code == 1
        assert [one["verdict"] for one in found] == ["breaks-writers"]
        assert found[0]["pointer"].endswith("/versions/1/sunset")


def test_a_revision_of_git_is_compared_with_what_stands_there_now(run: Run, schemas: Path) -> None:
    git(schemas.parent, "init", "--quiet")
    git(schemas.parent, "add", "schemas")
    git(schemas.parent, "commit", "--quiet", "--message", "first")
    git(schemas.parent, "tag", "v1.0")
    change(schemas / MOVED / "v2.json", '"briefadres"', '"briefadres", "onbekend"')

    assert run("diff", "v1.0", "v1.0")[0] == 0
    for arguments in (["v1.0"], ["v1.0", str(schemas / MOVED)], ["HEAD", str(schemas / MOVED / "v2.json")]):
        code, out, _ = run("diff", *arguments, "--json")
        assert code == 1
        assert [one["verdict"] for one in json.loads(out[0])] == ["breaks-readers"]
    (schemas / "nieuw").mkdir()
    assert run("diff", "v1.0", str(schemas / "nieuw"))[0] == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("nowhere", "schemas"),
        ("--json",),
        (),
        ("{schemas}", "{schemas}/" + MOVED),
        ("{schemas}/" + MOVED + "/v1.json", "{schemas}/" + MOVED + "/broken.json"),
        ("-x", "{schemas}"),
    ],
)
def test_what_cannot_be_compared_has_exit_code_2(run: Run, schemas: Path, arguments: tuple[str, ...]) -> None:
    (schemas / MOVED / "broken.json").write_text('{"type": "text"}', "utf-8")

    code, out, err = run("diff", *(one.format(schemas=schemas) for one in arguments))

    assert (code, out) == (2, [])
    assert err


# --- releases ----------------------------------------------------------------------------------------------------


def check(capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    with pytest.raises(SystemExit) as end:
        main(["check"])
    return int(end.value.code or 0), capsys.readouterr().out


def test_what_is_released_may_grow_and_not_break(run: Run, schemas: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run("release")
    assert code == 0
    assert out[0].endswith(" 0 changes since the last release.")
    first = (schemas / "released.json").read_bytes()
    assert run("release")[0] == 0
    assert first == (schemas / "released.json").read_bytes()
    assert check(capsys)[0] == 0

    change(
        schemas / MOVED / "v2.json",
        '"inOnderzoek": {',
        '"toelichting": {"type": "string", "maxLength": 80},\n    "inOnderzoek": {',
    )
    change(
        schemas / MOVED / "v1-v2.lens.yaml",
        "  - add:\n      field: /data/functieAdres",
        "  - add:\n      field: /data/functieAdres",
    )
    with (schemas / MOVED / "v1-v2.lens.yaml").open("a") as lens:
        lens.write("\n  - add: {field: /data/toelichting}\n")
    assert check(capsys)[0] == 0
    assert run("release")[1][0].endswith(" 2 changes since the last release.")


VAN = "  - move: {from: /data/gemeentecodeVan, to: /data/van/gemeentecode}\n"
NAAR = "  - move: {from: /data/gemeentecodeNaar, to: /data/naar/gemeentecode}\n"


@pytest.mark.parametrize(
    ("file", "old", "new", "what"),
    [
        ("v1.json", '"maximum": 7', '"maximum": 5', "breaks-writers"),
        ("v1-v2.lens.yaml", VAN + NAAR, NAAR + VAN, "operations changed"),
        ("about.yaml", "sunset: 2027-12-31", "sunset: 2026-12-31", "sunset brought forward"),
    ],
)
def test_a_broken_promise_is_a_fault_with_its_file_and_line(
    schemas: Path, capsys: pytest.CaptureFixture[str], file: str, old: str, new: str, what: str
) -> None:
    with pytest.raises(SystemExit):
        main(["schemas", "release"])
    changed = schemas / MOVED / file
    change(changed, old, new)
    mark = new.splitlines()[0]
    line = next(number for number, text in enumerate(changed.read_text("utf-8").splitlines(), 1) if mark in text)

    code, out = check(capsys)

    assert code == 78
    found = [one for one in out.splitlines() if what in one]
    assert found
    assert found[0].startswith(f"{changed}:{line}: this breaks what was released: ")


def test_a_type_taken_away_is_a_fault_and_cannot_be_released(
    run: Run, schemas: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("release")[0] == 0
    shutil.rmtree(schemas / "nl.voorlichting.artikel-gepubliceerd")

    code, out = check(capsys)
    assert code == 78
    assert f"{schemas / 'released.json'}:1: " in out
    code, lines, _ = run("release")
    assert code == 1
    assert lines[-1] == "2 changes, 2 not compatible."


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"nl.a.b": {}}', '{"nl.a.b": {"versions": {"x": {}}, "lenses": {}}}', "1"]
)
def test_a_record_that_nobody_wrote_is_a_fault(schemas: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    (schemas / "released.json").write_text(text, "utf-8")

    code, out = check(capsys)

    assert code == 78
    assert f"{schemas / 'released.json'}:" in out


def test_the_catalogue_keeps_what_it_released(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPATHUB_PARTNERS", str(shipped("deploy", "partners.yaml")))
    monkeypatch.setenv("EXPATHUB_SCHEMAS", str(shipped("schemas")))
    with pytest.raises(SystemExit) as end:
        main(["check"])

    assert not end.value.code


# --- convert -----------------------------------------------------------------------------------------------------


def example(schemas: Path, name: str, **changes: Any) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((schemas / MOVED / "examples" / name).read_text("utf-8"))
    return {**event, **changes}


def test_events_are_carried_and_what_cannot_be_is_said_without_a_value(run: Run, schemas: Path, tmp_path: Path) -> None:
    good = example(schemas, "v2/door-de-ingeschrevene.json", dataschema="https://schemas.example/2.json")
    dayless = example(schemas, "v2/dag-onbekend.json")
    other = example(schemas, "v1/door-de-ingeschrevene.json")
    spoilt = {**good, "data": {**good["data"], "geheimhouding": 77}}
    file = tmp_path / "events"
    events = [good, dayless, other, spoilt, {**good, "subject": "x"}, good]
    file.write_text("\n".join([*map(json.dumps, events), "", "{", json.dumps(good)]), "utf-8")

    code, out, err = run("convert", MOVED, str(file), "--from", "2", "--to", "1")

    assert code == 1
    assert len(out) == 3
    event = json.loads(out[0])
    assert event["type"] == f"{MOVED}.v1"
    assert event["data"]["gemeentecodeNaar"] == good["data"]["naar"]["gemeentecode"]
    assert (event["id"], event["subject"], "dataschema" in event) == (good["id"], good["subject"], False)
    assert err == [
        "Line 2: unreachable-version at /data/datumVan/type (value)",
        f"Line 3: this is no event of {MOVED}.v2, at /type",
        "Line 4: schema at /data/geheimhouding (maximum)",
        "Line 5: profile-subject at /subject",
        "Line 8: malformed-json",
    ]


def test_events_go_up_as_the_hub_carries_them(run: Run, schemas: Path, tmp_path: Path) -> None:
    file = tmp_path / "events"
    file.write_text(json.dumps(example(schemas, "v1/door-de-ingeschrevene.json")), "utf-8")

    code, out, err = run("convert", MOVED, str(file), "--from", "1", "--to", "2")

    assert (code, err) == (0, [])
    assert json.loads(out[0])["data"]["functieAdres"] == "woonadres"


@pytest.mark.parametrize(
    "arguments",
    [
        (MOVED, "-", "--from", "1"),
        (MOVED, "-", "--from", "1", "--to", "9"),
        ("nl.brp.verhuisd", "-", "--from", "1", "--to", "2"),
        (MOVED, "nowhere", "--from", "1", "--to", "2"),
    ],
)
def test_a_wrong_question_has_exit_code_2(run: Run, schemas: Path, arguments: tuple[str, ...]) -> None:
    assert schemas.is_dir()
    assert run("convert", *arguments)[0] == 2
