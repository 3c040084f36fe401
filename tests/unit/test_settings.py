"""Settings: the environment wins over the file, the file over defaults; what is wrong is named, never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from expathub.errors import MisconfiguredError
from expathub.settings import DEFAULT_BOOTSTRAP, LogLevel, load_settings, unknown_variables
from expathub.shipped import shipped


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_without_anything_the_defaults_hold() -> None:
    settings = load_settings()

    assert DEFAULT_BOOTSTRAP == settings.bootstrap
    assert not settings.bootstrap_given
    assert Path("var") == settings.data
    assert Path("var/reference.key") == settings.reference_keys
    assert 0 == settings.http_port
    assert LogLevel.INFO is settings.log_level


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hub.yaml").write_text("bootstrap: file:1\ndata: /srv/hub\n")
    monkeypatch.setenv("EXPATHUB_CONFIG", "hub.yaml")
    monkeypatch.setenv("EXPATHUB_BOOTSTRAP", "environment:1")

    settings = load_settings()

    assert "environment:1" == settings.bootstrap
    assert settings.bootstrap_given
    assert Path("/srv/hub/reference.key") == settings.reference_keys


@pytest.mark.parametrize(("name", "text"), [("a.yml", "http_port: 8080"), ("a.toml", "http_port = 8080")])
def test_the_file_may_be_yaml_or_toml(name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Path(name).write_text(text)
    monkeypatch.setenv("EXPATHUB_CONFIG", name)

    assert 8080 == load_settings().http_port


def test_an_empty_file_and_an_empty_variable_say_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("empty.yaml").write_text("# nothing yet\n")
    monkeypatch.setenv("EXPATHUB_CONFIG", "empty.yaml")
    monkeypatch.setenv("EXPATHUB_BOOTSTRAP", "")

    assert DEFAULT_BOOTSTRAP == load_settings().bootstrap


def test_the_working_directorys_own_configuration_comes_first() -> None:
    Path("deploy").mkdir()
    Path("deploy/partners.yaml").touch()
    Path("schemas").mkdir()

    settings = load_settings()

    assert (Path("deploy/partners.yaml"), Path("schemas")) == (settings.partners, settings.schemas)


def test_elsewhere_the_shipped_configuration_is_used() -> None:
    settings = load_settings()

    assert (shipped("deploy", "partners.yaml"), shipped("schemas")) == (settings.partners, settings.schemas)


def test_what_is_not_shipped_is_an_error() -> None:
    with pytest.raises(FileNotFoundError, match="deploy/nothing"):
        shipped("deploy", "nothing.yaml")


WRONG = {
    "a value of another kind": ({"EXPATHUB_HTTP_PORT": "secret"}, None, "EXPATHUB_HTTP_PORT: input should be"),
    "a word that is not in the list": ({"EXPATHUB_LOG_LEVEL": "secret"}, None, "EXPATHUB_LOG_LEVEL: input should be"),
    "a port that does not exist": ({"EXPATHUB_HTTP_PORT": "70000"}, None, "EXPATHUB_HTTP_PORT: input should be less"),
    "a name in the file that is no setting": ({}, "bootstap: secret", "bootstap: no such setting"),
    "a file that does not parse": ({}, "a: [\nsecret", "hub.yaml:2 does not parse"),
    "a file that is a list": ({}, "- secret", "hub.yaml is not a list of settings"),
    "a file that is not there": ({"EXPATHUB_CONFIG": "gone.yaml"}, None, "gone.yaml cannot be read"),
    "a file of another kind": ({"EXPATHUB_CONFIG": "hub.ini"}, None, "hub.ini is no settings file"),
    "a folder for a file": ({"EXPATHUB_CONFIG": "folder.toml"}, None, "folder.toml cannot be read"),
}


@pytest.mark.parametrize(("variables", "text", "said"), WRONG.values(), ids=[name.replace(" ", "-") for name in WRONG])
def test_what_is_wrong_is_named_and_its_value_is_not_shown(
    variables: dict[str, str], text: str | None, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("folder.toml").mkdir()
    if text is not None:
        Path("hub.yaml").write_text(text)
        monkeypatch.setenv("EXPATHUB_CONFIG", "hub.yaml")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(MisconfiguredError) as caught:
        load_settings()

    assert said in str(caught.value)
    assert caught.value.mend
    assert "secret" not in str(caught.value)


def test_a_variable_that_is_a_typing_error_is_pointed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPATHUB_BOOTSRAP", "x")
    monkeypatch.setenv("EXPATHUB_SOMETHING_ELSE_ENTIRELY", "x")
    monkeypatch.setenv("EXPATHUB_DATA", "x")

    assert ("EXPATHUB_BOOTSRAP is not a setting. Did you mean EXPATHUB_BOOTSTRAP?",) == unknown_variables()
