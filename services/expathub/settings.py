"""Settings of every command and service: the environment (`EXPATHUB_*`), else the file of `--config`, else defaults.

Read once, at start, by `load_settings`; nothing else looks into the environment. What partners and event types
there are is not a setting but configuration (`expathub.configuration`).
"""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Callable
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from expathub.errors import MisconfiguredError
from expathub.shipped import shipped

PREFIX = "EXPATHUB_"

DEFAULT_BOOTSTRAP = "127.0.0.1:9092"
"""Where `expathub broker start` puts a broker if nothing else is asked."""


class LogLevel(StrEnum):
    """How much is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    """How a log line looks; `auto` is console on a terminal and JSON anywhere else."""

    AUTO = "auto"
    JSON = "json"
    CONSOLE = "console"


def _partners_file() -> Path:
    """Prefer the working directory's own partners over the shipped ones."""
    own = Path("deploy/partners.yaml")
    return own if own.is_file() else shipped("deploy", "partners.yaml")


def _schemas_folder() -> Path:
    """Prefer the working directory's own schemas over the shipped ones."""
    own = Path("schemas")
    return own if own.is_dir() else shipped("schemas")


class Settings(BaseSettings):
    """All settings; the variable of each is its name in capitals after `EXPATHUB_`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    bootstrap: str = Field(
        DEFAULT_BOOTSTRAP, min_length=1, description="Kafka's address: HOST:PORT, or several by comma."
    )
    partners: Path = Field(default_factory=_partners_file, description="The file that names the partners.")
    schemas: Path = Field(default_factory=_schemas_folder, description="The folder of the event types.")
    data: Path = Field(Path("var"), description="Folder for what processes keep on this machine; many may share it.")
    http_host: str = Field("127.0.0.1", min_length=1, description="Address on which a service answers HTTP.")
    http_port: int = Field(0, ge=0, le=65535, description="Port on which a service answers HTTP; 0 is any free one.")
    reference_key_file: Path | None = Field(
        None, description="Keys of the pairwise references; unset: `reference.key` in the data folder."
    )
    log_level: LogLevel = Field(LogLevel.INFO, description="How much is logged.")
    log_format: LogFormat = Field(LogFormat.AUTO, description="Lines for people, or JSON.")
    cache: Path | None = Field(None, description="Folder for Kafka's jars; unset: the user's cache folder.")
    java_home: Path | None = Field(None, description="A Java for the local broker, before the bundled one.")
    maven_repository: str | None = Field(None, description="A mirror to fetch Kafka's jars from.")

    @property
    def reference_keys(self) -> Path:
        """The file of the pairwise references' keys."""
        return self.reference_key_file or self.data / "reference.key"

    @property
    def bootstrap_given(self) -> bool:
        """Whether a person named the Kafka to use: then no other is ever used or started."""
        return "bootstrap" in self.model_fields_set

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (the base class names it)
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (the base class names it)
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let arguments win over the environment, and the environment over the file."""
        return init_settings, env_settings, InitSettingsSource(settings_cls, _file_values())


def load_settings() -> Settings:
    """Read the settings; raises `MisconfiguredError` naming each setting that is wrong, never its value."""
    try:
        return Settings()
    except ValidationError as error:
        raise MisconfiguredError(*_explain(error)) from None


def unknown_variables() -> tuple[str, ...]:
    """Say which `EXPATHUB_*` variables look like a setting mistyped; others may belong to something else."""
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {_CONFIG_VARIABLE}
    strange = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)
    near = ((name, get_close_matches(name, known, n=1, cutoff=0.85)) for name in strange)
    return tuple(f"{name} is not a setting. Did you mean {match[0]}?" for name, match in near if match)


_CONFIG_VARIABLE = PREFIX + "CONFIG"


def _file_values() -> dict[str, Any]:
    """Read the file that `--config` (or EXPATHUB_CONFIG) names; keys are the settings' names in lower case."""
    name = os.environ.get(_CONFIG_VARIABLE)
    if not name:
        return {}
    parse = _PARSERS.get(Path(name).suffix)
    if parse is None:
        raise MisconfiguredError(f"{name} is no settings file.", "Its name must end in .yaml, .yml or .toml.")
    try:
        values = parse(Path(name).read_text("utf-8"))
    except OSError as error:
        raise MisconfiguredError(
            f"{name} cannot be read ({error.strerror}).", "Check the path given to --config."
        ) from None
    except (ValueError, yaml.YAMLError) as error:
        raise MisconfiguredError(f"{name}{_line_of(error)} does not parse.", "Mend the file.") from None
    if not isinstance(values, dict):
        raise MisconfiguredError(f"{name} is not a list of settings.", "Write one `name: value` a line.")
    return values


def _parse_yaml(text: str) -> Any:
    return yaml.safe_load(text) or {}


_PARSERS: dict[str, Callable[[str], Any]] = {".yaml": _parse_yaml, ".yml": _parse_yaml, ".toml": tomllib.loads}


def _line_of(error: ValueError | yaml.YAMLError) -> str:
    """Return `:LINE` where the parser says it; the parser's own words may quote the file."""
    mark = getattr(error, "problem_mark", None)
    return f":{mark.line + 1}" if mark else ""


def _explain(error: ValidationError) -> tuple[str, str]:
    """Say what is wrong with each setting, and what to do."""
    wrong = "; ".join(f"{_named(fault['loc'])}: {_words(fault['type'], fault['msg'])}" for fault in error.errors())
    return f"Wrong settings: {wrong}.", "Mend the environment (EXPATHUB_*) or the file of --config."


def _named(location: tuple[int | str, ...]) -> str:
    name = str(location[0])
    return f"{PREFIX}{name.upper()}" if name in Settings.model_fields else name


def _words(kind: str, message: str) -> str:
    return "no such setting" if kind == "extra_forbidden" else message[0].lower() + message[1:]


def page() -> str:
    """Return the documentation page of the settings, in Markdown."""
    rows = (
        f"| `{PREFIX}{name.upper()}` | `{name}` | {_default(field)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    )
    return _PAGE.format(rows="\n".join(rows))


def _default(field: FieldInfo) -> str:
    made = {
        _partners_file: "`deploy/partners.yaml`, else the shipped one",
        _schemas_folder: "`schemas`, else the shipped",
    }
    if field.default_factory is not None:
        return made[field.default_factory]  # type: ignore[index]
    return "–" if field.default is None else f"`{field.default}`"


_PAGE = """\
# Settings

Every command and service reads its settings once, at start: from the environment, else from the file that
`--config FILE` (or `EXPATHUB_CONFIG`) names, else it takes the default. The file is YAML or TOML, with the names in the
second column. Relative paths start at the working directory. A wrong setting ends the command with exit code 78 and a
line that names it.

| variable | in a file | default | meaning |
|---|---|---|---|
{rows}

For example:

```yaml
bootstrap: kafka-1.example.org:9092,kafka-2.example.org:9092
data: /var/lib/expathub
log_format: json
```

Which partners and event types there are is not a setting; it stands in `deploy/partners.yaml` and `schemas/`.

This page is made of `services/expathub/settings.py`: `python -m expathub.settings > docs/settings.md`.
"""


if __name__ == "__main__":
    sys.stdout.write(page())
