"""The frame of the command line: what it lists, how it ends, and that it imports only what runs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from expathub import __version__
from expathub.cli import main as cli
from expathub.cli.exits import ExitCode, exit_code, explain
from expathub.errors import (
    ExpathubError,
    KafkaUnreachableError,
    MisconfiguredError,
    SomethingFoundError,
    UsageError,
)


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `expathub` as a user does, with a nearly empty environment."""
    return subprocess.run(
        [sys.executable, "-m", "expathub", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "", **variables},
    )


def test_help_lists_every_command_with_its_line() -> None:
    shown = " ".join(run("--help").stdout.split())

    assert [] == [entry.name for entry in cli.COMMANDS if f"{entry.name} {entry.help}" not in shown]


def test_help_imports_no_command_and_nothing_heavy() -> None:
    code = (
        "import sys\nfrom expathub.cli.main import main\ntry: main(['--help'])\nexcept SystemExit: print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    modules = set(done.stdout.split())
    heavy = {"aiokafka", "faststream", "pydantic", "yaml", "rich", "structlog", "uvicorn", "jsonschema_rs"}
    assert set() == modules & (heavy | {entry.target.partition(":")[0] for entry in cli.COMMANDS})


@pytest.mark.parametrize("entry", cli.COMMANDS, ids=[entry.name for entry in cli.COMMANDS])
def test_every_command_can_be_loaded_and_explains_itself(entry: cli.Entry) -> None:
    done = run(entry.name, "--help")

    assert (0, "") == (done.returncode, done.stderr)
    assert f"Usage: expathub {entry.name}" in done.stdout


def test_the_version_is_that_of_the_package() -> None:
    assert f"expathub {__version__}\n" == run("--version").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("brok",), "Did you mean 'broker'"),
        (("--konfig",), "No such option"),
        (("check", "--nonsense"), "No such option"),
    ],
    ids=["a-command-mistyped", "an-option-mistyped", "an-option-of-a-command-mistyped"],
)
def test_a_typing_error_is_usage(arguments: tuple[str, ...], said: str) -> None:
    done = run(*arguments)

    assert ExitCode.USAGE == done.returncode
    assert said in done.stderr
    assert "" == done.stdout


def test_a_setting_mistyped_is_pointed_out() -> None:
    assert "Did you mean EXPATHUB_BOOTSTRAP?" in run("check", "--help", EXPATHUB_BOOTSTRAPP="x").stderr


def test_wrong_settings_end_any_command_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "hub.yaml").write_text("http_port: much\n")

    done = run("--config", str(tmp_path / "hub.yaml"), "check")

    assert ExitCode.CONFIGURATION == done.returncode
    assert 1 == len(done.stderr.splitlines())
    assert "EXPATHUB_HTTP_PORT" in done.stderr


@pytest.mark.parametrize(
    ("kind", "code"),
    [(SomethingFoundError, 1), (UsageError, 2), (KafkaUnreachableError, 69), (MisconfiguredError, 78)],
)
def test_each_kind_of_error_has_its_exit_code(kind: type[ExpathubError], code: int) -> None:
    class Narrower(kind):  # type: ignore[misc, valid-type]
        pass

    assert (code, code) == (exit_code(kind("It broke.")), exit_code(Narrower("It broke.", "Mend it.")))


def test_an_error_is_one_line_with_the_next_step() -> None:
    assert ["It broke. Mend it."] == list(explain(UsageError("It broke.", "Mend it.")))
    assert ["It broke."] == list(explain(UsageError("It broke.")))


def test_a_list_of_faults_is_one_line_each() -> None:
    class FaultsError(MisconfiguredError):
        def lines(self) -> Iterable[str]:
            return ("a.yaml:1 is wrong.", "a.yaml:2 is wrong.")

    assert ["a.yaml:1 is wrong.", "a.yaml:2 is wrong."] == list(explain(FaultsError("two faults")))


def test_what_nobody_foresaw_shows_type_and_place_and_no_value(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> None:
        raise ValueError("999990019")

    monkeypatch.setattr(cli.Entry, "load", fail)

    with pytest.raises(SystemExit) as ended:
        cli.main(["check"])

    [line] = capsys.readouterr().err.splitlines()
    assert ExitCode.FOUND == ended.value.code
    assert line.startswith("expathub: Unexpected fault: ValueError at main.py:")
    assert "999990019" not in line


def test_an_error_from_nowhere_still_has_a_line() -> None:
    assert "at an unknown place" in next(iter(explain(ValueError("999990019"))))
