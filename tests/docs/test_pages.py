"""Every fenced block of every page is executed, parsed or compared; a fence of any other kind is an error.

| fence | what happens |
|---|---|
| `bash` | runs, a page being one terminal, in an empty folder with `expathub` on PATH and a Kafka; must exit 0 |
| `bash checkout` | `make` targets to be given at the root of a checkout: each must be in `make help` and resolve |
| `bash docker` | `docker compose`: services and commands must exist; `make compose-test` runs those of docs/docker.md |
| `output` | is compared with what the `bash` or `python` block above it printed; `…` stands for anything |
| `python` | runs as a program, with the same folder and variables |
| `yaml`, `json`, `toml` | parses |
| `mermaid` | begins with a kind of diagram that GitHub draws |
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest
import yaml
from markdown_it import MarkdownIt

from expathub.kafka import local_broker

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("services/**/*.md")])
BLOCK_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: the page's name and line, the fence's words, and what stands in it."""

    place: str
    info: str
    text: str


@dataclass(slots=True)
class Terminal:
    """A terminal that a reader of the page would have: one folder, variables that stay, what was printed last."""

    home: Path
    folder: Path
    variables: dict[str, str]
    printed: str = ""
    said: str = ""
    groups: list[int] = field(default_factory=list)

    def run(self, command: list[str], text: str = "") -> int:
        """Run a program with `text` as its input; keep what it printed. Its background jobs may go on."""
        step = len(self.groups)  # a file a block: what runs in the background goes on writing to its own
        with self.beside(f"printed-{step}").open("w") as printed, self.beside(f"said-{step}").open("w") as said:
            done = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self.variables,
                stdin=subprocess.PIPE,
                stdout=printed,
                stderr=said,
                text=True,
                start_new_session=True,
            )
            self.groups.append(done.pid)
            done.communicate(text, timeout=BLOCK_SECONDS)
        self.printed, self.said = (self.beside(f"{name}-{step}").read_text() for name in ("printed", "said"))
        return done.returncode

    def shown(self) -> str:
        """Return all that the last program wrote, for a person to find the fault."""
        return f"{self.printed}\n{self.said}"

    def beside(self, name: str) -> Path:
        """Return a file that the reader does not see."""
        return self.home.parent / name

    def close(self) -> None:
        """End what was left running in the background, as closing a window would."""
        for group in self.groups:
            try:
                os.killpg(group, signal.SIGTERM)
            except ProcessLookupError:
                continue


def blocks_of(page: Path) -> list[Block]:
    """Read a page's fenced blocks; also one that is indented within a list."""
    tokens = MarkdownIt("commonmark").parse(page.read_text("utf-8"))
    name = page.relative_to(ROOT) if page.is_relative_to(ROOT) else page.name
    return [
        Block(f"{name}:{(token.map or [0])[0] + 1}", token.info.strip(), token.content)
        for token in tokens
        if token.type in {"fence", "code_block"}
    ]


def run_bash(block: Block, terminal: Terminal) -> None:
    kept, here = (shlex.quote(str(terminal.beside(name))) for name in ("variables", "here"))
    script = f"set -euo pipefail\n[ ! -f {kept} ] || . {kept}\n{block.text}\nexport -p > {kept}\npwd > {here}\n"
    assert terminal.run(["bash", "-c", script]) == 0, f"{block.place} failed:\n{terminal.shown()}"
    terminal.folder = Path(terminal.beside("here").read_text().strip())


def run_python(block: Block, terminal: Terminal) -> None:
    assert terminal.run([sys.executable, "-"], block.text) == 0, f"{block.place} failed:\n{terminal.shown()}"


def check_make(block: Block, _: Terminal) -> None:
    known = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for line in block.text.splitlines():
        command = shlex.split(line, comments=True)
        assert command[:1] == ["make"], f"{block.place}: {line!r} is no make command"
        for target in (word for word in command[1:] if "=" not in word):
            assert f"  make {target} " in known, f"{block.place}: make has no target {target}"
        subprocess.run([*command, "--dry-run"], cwd=ROOT, capture_output=True, check=True)


def check_compose(block: Block, _: Terminal) -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]
    for line in block.text.splitlines():
        words = shlex.split(line.partition(">")[0].partition("<")[0], comments=True)
        assert words[:2] == ["docker", "compose"], f"{block.place}: {line!r} is no docker compose command"
        named = [word for word in words[3:] if not word.startswith("-")]
        assert set(named[:1]) <= set(services), f"{block.place}: {named[:1]} is no service"
        if words[2] == "run":
            assert has_command(named[1]), f"{block.place}: expathub has no command {named[1]}"


@cache
def has_command(name: str) -> bool:
    command = [sys.executable, "-m", "expathub", name, "--help"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode == 0


def compare(block: Block, terminal: Terminal) -> None:
    pattern = ".*".join(map(re.escape, block.text.strip().split("…")))
    assert re.fullmatch(pattern, terminal.printed.strip(), re.DOTALL), (
        f"{block.place} shows\n{block.text}\nbut what was printed is\n{terminal.printed}"
    )


def parses_with(parse: Callable[[str], object]) -> Callable[[Block, Terminal], None]:
    def check(block: Block, _: Terminal) -> None:
        assert parse(block.text) is not None, f"{block.place} is empty"

    return check


def check_diagram(block: Block, _: Terminal) -> None:
    first = block.text.split(maxsplit=1)[0]
    assert first in {"flowchart", "sequenceDiagram", "stateDiagram-v2"}, f"{block.place}: {first!r} is no diagram"


FENCES: dict[str, Callable[[Block, Terminal], None]] = {
    "bash": run_bash,
    "bash checkout": check_make,
    "bash docker": check_compose,
    "output": compare,
    "python": run_python,
    "yaml": parses_with(yaml.safe_load),
    "json": parses_with(json.loads),
    "toml": parses_with(tomllib.loads),
    "mermaid": check_diagram,
}


def run_page(page: Path, terminal: Terminal) -> None:
    """Do with each block what its fence says, from top to bottom."""
    for block in blocks_of(page):
        assert block.info in FENCES, f"{block.place}: a block must say what it is, one of {', '.join(FENCES)}"
        FENCES[block.info](block, terminal)


@contextmanager
def open_terminal(folder: Path, bootstrap: str) -> Iterator[Terminal]:
    """Open a terminal in an empty folder; end all that it started when it closes."""
    home = folder / "work"
    home.mkdir()
    variables = {name: value for name, value in os.environ.items() if not name.startswith("EXPATHUB_TEST_")}
    variables["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{variables['PATH']}"
    variables["EXPATHUB_BOOTSTRAP"] = bootstrap
    terminal = Terminal(home, home, variables)
    try:
        yield terminal
    finally:
        terminal.close()
        for settings in home.glob("**/cluster.json"):
            local_broker.stop(settings.parent)


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_a_page_does_what_it_says(page: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    runs = any(block.info in {"bash", "python"} for block in blocks_of(page))
    bootstrap = request.getfixturevalue("kafka_of_a_page") if runs else ""

    with open_terminal(tmp_path, bootstrap) as terminal:
        run_page(page, terminal)


BROKEN = {
    "an unknown fence": ("```shell\ntrue\n```", "must say what it is"),
    "a fence without a word": ("```\ntrue\n```", "must say what it is"),
    "a block by indentation": ("Text\n\n    true\n", "must say what it is"),
    "a fence within a list": ("- item\n\n  ```\n  true\n  ```\n", "must say what it is"),
    "a command that fails": ("```bash\nfalse\n```", "failed"),
    "a failure in a pipe": ("```bash\nfalse | cat\n```", "failed"),
    "an unset variable": ("```bash\necho $NO_SUCH_VARIABLE\n```", "failed"),
    "another output": ("```bash\necho two\n```\n```output\none\n```", "but what was printed is"),
    "half an output": ("```bash\necho one two\n```\n```output\none\n```", "but what was printed is"),
    "a program that fails": ("```python\nraise SystemExit(3)\n```", "failed"),
    "no target": ("```bash checkout\nmake money\n```", "no target"),
    "not make": ("```bash checkout\nrm -rf var\n```", "no make command"),
    "no service": ("```bash docker\ndocker compose up intakes\n```", "is no service"),
    "no command in a container": ("```bash docker\ndocker compose run --rm hub fly\n```", "has no command fly"),
    "not compose": ("```bash docker\ndocker system prune\n```", "no docker compose command"),
    "no diagram": ("```mermaid\ndrawing LR\n```", "no diagram"),
    "an empty document": ("```yaml\n```", "is empty"),
}


@pytest.mark.parametrize(("text", "said"), BROKEN.values(), ids=[name.replace(" ", "-") for name in BROKEN])
def test_a_page_that_is_wrong_fails(text: str, said: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)

    with open_terminal(tmp_path, "") as terminal, pytest.raises(AssertionError, match=said):
        run_page(page, terminal)


@pytest.mark.parametrize("text", ["```json\n{]\n```", "```yaml\na: b: c\n```", "```toml\na = \n```"])
def test_a_document_that_does_not_parse_fails(text: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)

    with open_terminal(tmp_path, "") as terminal, pytest.raises((ValueError, yaml.YAMLError)):
        run_page(page, terminal)


def test_blocks_of_a_page_share_one_terminal(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "```bash\nexport WHO='two words'\nmkdir here\ncd here\n```\n"
        '```bash\ntest -d ../here\necho "one $WHO three"\nsleep 60 &\n```\n'
        "```output\none … three\n```\n```python\nimport pathlib\nprint(pathlib.Path('../here').exists())\n```\n"
        "```output\nTrue\n```\n"
        "```json\n[1]\n```\n```mermaid\nflowchart LR\n```\n```bash checkout\nmake help # list\n```\n"
    )

    with open_terminal(tmp_path, "") as terminal:
        run_page(page, terminal)


def links_of(page: Path) -> Iterator[str]:
    """Yield the targets of a page's links and pictures."""
    for token in MarkdownIt("commonmark").parse(page.read_text("utf-8")):
        for child in token.children or ():
            target = child.attrs.get("href") or child.attrs.get("src")
            if target:
                yield str(target)


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_links_inside_the_repository_lead_somewhere(page: Path) -> None:
    inside = [target for target in links_of(page) if not re.match(r"[a-z]+:", target)]
    targets = [target.partition("#")[0] for target in inside]

    assert [] == [target for target in targets if target and not (page.parent / target).exists()]
