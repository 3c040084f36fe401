"""Fetching Kafka's jars: from a Maven repository that this test serves, with the resolver that users have."""

from __future__ import annotations

import errno
import gc
import hashlib
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from expathub.kafka.local_broker import jars
from expathub.kafka.local_broker.errors import DiskFullError, LocalBrokerError, NoJavaWayError
from expathub.kafka.local_broker.lock import Jar, parse
from expathub.kafka.local_broker.means import Means


@dataclass
class Repository:
    """A Maven repository: its address, its files by path, and how often each jar was asked for."""

    url: str
    files: dict[str, bytes]
    asked: Counter[str] = field(default_factory=Counter)
    lock_text: str = ""

    @property
    def lock(self) -> tuple[Jar, ...]:
        return parse(self.lock_text)


@pytest.fixture
def repository(monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    """Serve three small jars; let the lock be theirs."""
    content = {f"part-{n}": f"jar {n}".encode() * 1000 for n in range(3)}
    served = Repository("", {f"/maven/org/example/{a}/1.0/{a}-1.0.jar": data for a, data in content.items()})
    served.lock_text = "".join(
        f"org.example:{artifact}:1.0 sha256:{hashlib.sha256(data).hexdigest()}\n" for artifact, data in content.items()
    )

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.endswith(".jar"):
                served.asked[self.path.rpartition("/")[2]] += 1
            body = served.files.get(self.path)
            self.send_response(200 if body is not None else 404)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class names it)
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.url = f"http://127.0.0.1:{server.server_port}/maven/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(jars, "read_lock", lambda: served.lock)
    yield served
    server.shutdown()
    thread.join()
    server.server_close()


def means(cache: Path, repository: str | None = None, kafka_home: Path | None = None) -> Means:
    return Means(None, None, "", kafka_home, repository, cache)


def test_jars_are_fetched_once_and_progress_is_told(repository: Repository, tmp_path: Path) -> None:
    told: list[str] = []

    first = jars.ready_jars(means(tmp_path, repository.url), told.append)
    again = jars.ready_jars(means(tmp_path, repository.url), told.append)

    lib = tmp_path / "kafka-4.3.1" / "lib"
    assert first == again
    assert first.class_path == ":".join(str(lib / f"part-{n}-1.0.jar") for n in range(3))
    assert sorted(path.name for path in lib.iterdir()) == [jar.file for jar in repository.lock]
    assert set(repository.asked.values()) == {1}
    assert told[0] == "jars: fetching 3 of 3 (all: 44 MB), needed once"
    assert told[-1].startswith("jars: 3 of 3 after ")
    assert not list(lib.parent.glob("fetch-*"))


def test_a_jar_that_is_cut_short_is_fetched_again_alone(repository: Repository, tmp_path: Path) -> None:
    jars.ready_jars(means(tmp_path, repository.url), lambda _: None)
    broken = tmp_path / "kafka-4.3.1" / "lib" / "part-1-1.0.jar"
    broken.write_bytes(broken.read_bytes()[:100])

    jars.ready_jars(means(tmp_path, repository.url), lambda _: None)

    assert repository.asked == {"part-0-1.0.jar": 1, "part-1-1.0.jar": 2, "part-2-1.0.jar": 1}


def test_a_file_that_is_not_the_pinned_one_never_gets_among_the_jars(repository: Repository, tmp_path: Path) -> None:
    other = b"something else"
    repository.files["/maven/org/example/part-1/1.0/part-1-1.0.jar"] = other

    with pytest.raises(NoJavaWayError) as refused:
        jars.ready_jars(means(tmp_path, repository.url), lambda _: None)

    expected, got = repository.lock[1].sha256, hashlib.sha256(other).hexdigest()
    assert str(refused.value) == (
        f"part-1-1.0.jar is not the file pinned in jars.lock (expected {expected}, got {got}). "
        "Deleted. Nothing was started."
    )
    assert [path.name for path in tmp_path.rglob("*.jar")] == ["part-0-1.0.jar"]


def test_two_processes_that_fetch_at_once_fetch_each_jar_once(repository: Repository, tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from expathub.kafka.local_broker import jars, lock, means\n"
        "jars.read_lock = lambda: lock.parse(sys.argv[1])\n"
        "jars.ready_jars(means.Means(None, None, '', None, sys.argv[2], Path(sys.argv[3])), print)\n"
    )
    command = [sys.executable, "-c", script, repository.lock_text, repository.url, str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": str(Path(jars.__file__).parents[3])}

    processes = [subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) for _ in range(2)]

    assert [process.wait(60) for process in processes] == [0, 0]
    assert set(repository.asked.values()) == {1}


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_repository_without_the_jars_is_named(repository: Repository, tmp_path: Path) -> None:
    repository.files.clear()

    with pytest.raises(NoJavaWayError) as refused:
        jars.ready_jars(means(tmp_path, repository.url), lambda _: None)

    said = str(refused.value)
    del refused
    gc.collect()  # jgo leaves a refused answer unread and open
    assert said == (
        f"{repository.url} does not serve org.example:part-0:1.0. Behind a mirror: set EXPATHUB_MAVEN_REPOSITORY to "
        "the URL under which it holds Maven Central's files."
    )


def test_without_a_connection_it_is_said_how_to_do_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    with pytest.raises(NoJavaWayError) as refused:
        jars.ready_jars(means(tmp_path, "http://127.0.0.1:1"), lambda _: None)

    assert str(refused.value) == (
        "Cannot fetch 46 Kafka jars (44 MB): no connection to the Maven repository. Needed once. "
        "Behind a mirror: EXPATHUB_MAVEN_REPOSITORY=URL. "
        "Without network: copy an unpacked Kafka 4.3.1 here and set KAFKA_HOME."
    )


def test_without_a_connection_a_cache_that_lacks_one_jar_says_so(repository: Repository, tmp_path: Path) -> None:
    jars.ready_jars(means(tmp_path, repository.url), lambda _: None)
    (tmp_path / "kafka-4.3.1" / "lib" / "part-2-1.0.jar").unlink()

    with pytest.raises(NoJavaWayError, match=r"^Cannot fetch 1 of 3 Kafka jars: no connection"):
        jars.ready_jars(means(tmp_path, "http://127.0.0.1:1"), lambda _: None)


def test_a_certificate_that_is_not_trusted_points_to_the_proxy(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> requests.Response:
        raise requests.exceptions.SSLError("certificate verify failed: self-signed certificate in chain")

    monkeypatch.setattr(requests, "request", refuse)

    with pytest.raises(NoJavaWayError) as refused:
        jars.ready_jars(means(tmp_path, repository.url), lambda _: None)

    assert str(refused.value) == (
        "The certificate of the Maven repository is not trusted; is there an inspecting proxy? "
        "Set REQUESTS_CA_BUNDLE to your company's bundle."
    )


def test_without_the_resolver_it_is_said_how_to_get_it(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jgo", None)

    with pytest.raises(NoJavaWayError, match=r"jgo is not installed\. Run: pip install 'expathub\[broker\]'"):
        jars.ready_jars(means(tmp_path, repository.url), lambda _: None)


def test_a_full_disk_is_said_while_jars_are_fetched(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Path, target: Path) -> Path:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))

    monkeypatch.setattr(Path, "replace", full)

    with pytest.raises(DiskFullError, match=r"is full \(0 MB free\)\. Make room, or choose another"):
        jars.ready_jars(means(tmp_path, repository.url), lambda _: None)


def test_a_cache_that_may_not_be_made_is_named(repository: Repository, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()

    with pytest.raises(LocalBrokerError, match=r"cannot be used \(Not a directory\)\. Choose another"):
        jars.ready_jars(means(file, repository.url), lambda _: None)


def kafka_home(folder: Path, *names: str) -> Path:
    (folder / "libs").mkdir()
    for name in names:
        (folder / "libs" / name).touch()
    return folder


def test_an_unpacked_kafka_is_used_before_all_and_named(tmp_path: Path) -> None:
    told: list[str] = []
    home = kafka_home(tmp_path, "kafka_2.13-4.4.0.jar", "kafka-clients-4.4.0.jar", "kafka_2.13-4.4.0-test.jar")

    found = jars.ready_jars(means(tmp_path / "cache", kafka_home=home), told.append)

    assert (found.version, found.class_path) == ("4.4.0", f"{home}/libs/*")
    assert told == [f"jars: Kafka 4.4.0 of KAFKA_HOME={home}"]
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (
            (),
            "holds no libs/kafka_2.13-*.jar; expathub needs Kafka 4. Name an unpacked Kafka 4.3.1, or unset it.",
        ),
        (("kafka_2.13-3.9.1.jar",), "holds Kafka 3.9.1; expathub needs Kafka 4."),
    ],
)
def test_a_kafka_home_of_another_kind_is_refused(tmp_path: Path, names: tuple[str, ...], words: str) -> None:
    with pytest.raises(NoJavaWayError) as refused:
        jars.ready_jars(means(tmp_path / "cache", kafka_home=kafka_home(tmp_path, *names)), lambda _: None)

    assert f"KAFKA_HOME={tmp_path} {words}" in str(refused.value)
