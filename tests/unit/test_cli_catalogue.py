"""`expathub check` and `expathub schemas sample`, as they are typed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from expathub.cli.main import main
from expathub.kafka import topics
from expathub.shipped import shipped

Run = Callable[..., tuple[int, list[str], list[str]]]
MOVED = "nl.brp.verhuisd.intergemeentelijk"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("EXPATHUB_PARTNERS", str(shipped("deploy", "partners.yaml")))
    monkeypatch.setenv("EXPATHUB_SCHEMAS", str(shipped("schemas")))

    def run_it(*arguments: str) -> tuple[int, list[str], list[str]]:
        with pytest.raises(SystemExit) as end:
            main(list(arguments))
        out, err = capsys.readouterr()
        return int(end.value.code or 0), out.splitlines(), err.splitlines()

    return run_it


@pytest.fixture
def spoilt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return partners with two faults."""
    file = tmp_path / "partners.yaml"
    text = shipped("deploy", "partners.yaml").read_text("utf-8")
    file.write_text(text.replace("roles: [ind]", "roles: [ins]").replace("id: stein", "id: Stein"), "utf-8")
    monkeypatch.setenv("EXPATHUB_PARTNERS", str(file))
    return file


def line_of(file: Path, text: str) -> int:
    return next(number for number, line in enumerate(file.read_text("utf-8").splitlines(), 1) if text in line)


def test_a_sound_configuration_is_said_to_be_so(run: Run) -> None:
    code, out, err = run("check")

    assert (code, err) == (0, [])
    assert out[0].startswith("The configuration is sound: partners 22, ")
    assert out[1].startswith("Revision 1, digest ")


def test_a_sound_configuration_as_json(run: Run) -> None:
    code, out, _ = run("check", "--json")
    found = json.loads(out[0])

    assert (code, len(out), found["ok"], found["partners"], found["faults"]) == (0, 1, True, 22, [])
    assert len(found["digest"]) == 64


def test_faults_are_printed_one_a_line_with_exit_code_78(run: Run, spoilt: Path) -> None:
    code, out, _ = run("check")

    assert code == 78
    assert out[0].startswith(f"{spoilt}:{line_of(spoilt, '[ins]')}: ")
    assert out[1].startswith(f"{spoilt}:{line_of(spoilt, 'id: Stein')}: ")
    assert out[2] == "2 faults."


def test_faults_as_json(run: Run, spoilt: Path) -> None:
    code, out, _ = run("check", "--json")
    found = json.loads(out[0])

    assert (code, found["ok"], len(found["faults"])) == (78, False, 2)
    assert found["faults"][0].keys() == {"file", "line", "what", "mend"}
    assert found["faults"][0]["file"] == str(spoilt)


def test_times_out_of_order_are_a_fault_of_the_configuration(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topics, "PLANNED_TIMES", tuple(reversed(topics.PLANNED_TIMES)))

    code, out, _ = run("check")

    assert code == 78
    assert out[-1] == "3 faults."
    assert "topics.py" in out[0]


@pytest.mark.parametrize("arguments", [("check",), ("schemas", "sample", MOVED)])
def test_a_missing_file_is_a_line_and_no_traceback(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: Any
) -> None:
    monkeypatch.setenv("EXPATHUB_PARTNERS", str(tmp_path / "none.yaml"))

    code, out, err = run(*arguments)

    assert code == 78
    assert any(line.removeprefix("expathub: ").startswith(f"{tmp_path / 'none.yaml'}:1: ") for line in out + err)
    assert not any("Traceback" in line for line in out + err)


def test_samples_are_events_one_a_line_and_the_same_twice(run: Run) -> None:
    once = run("schemas", "sample", MOVED, "--count", "3", "--seed", "7", "--as", "heerlen")
    again = run("schemas", "sample", MOVED, "--count", "3", "--seed", "7", "--as", "heerlen")

    assert once == again
    assert once[0] == 0
    assert [json.loads(line)["type"] for line in once[1]] == [f"{MOVED}.v2"] * 3


def test_a_sample_is_of_the_version_and_the_dossier_asked_for(run: Run) -> None:
    subject = "2b7e4c1a-90d3-4f5b-8a6e-1c9d0e7f3a52"
    _, out, _ = run("schemas", "sample", MOVED, "--version", "1", "--subject", subject)
    event = json.loads(out[0])

    assert (event["type"], event["subject"]) == (f"{MOVED}.v1", subject)


@pytest.mark.parametrize(
    "arguments",
    [
        ("nl.brp.verhuisd",),
        (MOVED, "--version", "9"),
        (MOVED, "--version", "0"),
        (MOVED, "--as", "ind"),
        (MOVED, "--as", "nobody"),
        (MOVED, "--count", "0"),
        (MOVED, "--count", "many"),
        (MOVED, "--subject", "x"),
        (f"{MOVED}.v1", "--version", "2"),
        ("nl.expathub.gebeurtenis-geweigerd",),
        (),
    ],
)
def test_a_wrong_question_has_exit_code_2_and_prints_no_event(run: Run, arguments: tuple[str, ...]) -> None:
    code, out, err = run("schemas", "sample", *arguments)

    assert (code, out) == (2, [])
    assert err


def test_a_copy_of_the_schemas_elsewhere_can_be_checked(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(shipped("schemas"), tmp_path / "schemas")
    monkeypatch.setenv("EXPATHUB_SCHEMAS", str(tmp_path / "schemas"))

    assert run("check")[0] == 0
