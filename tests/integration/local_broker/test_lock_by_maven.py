"""The lock against a second opinion: the jars that Maven itself would take, where there is a Maven."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from expathub.kafka.local_broker import jars, pins

POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion><groupId>test</groupId><artifactId>test</artifactId><version>1</version>
<dependencies>{dependencies}</dependencies>
</project>"""
DEPENDENCY = "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>"


def test_maven_takes_the_same_files(tmp_path: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        pytest.skip("there is no Maven on PATH to compare with")
    dependencies = "".join(DEPENDENCY.format(*root.split(":")) for root in pins.ROOTS)
    (tmp_path / "pom.xml").write_text(POM.format(dependencies=dependencies))
    options = ["--batch-mode", "--quiet", "-DincludeScope=runtime", f"-DoutputDirectory={tmp_path / 'lib'}"]

    copied = subprocess.run(
        [maven, *options, "dependency:copy-dependencies"], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    if "Could not transfer" in copied.stdout or "Unknown host" in copied.stdout:
        pytest.skip("Maven is here and cannot reach its repository")
    assert copied.returncode == 0, copied.stdout
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (tmp_path / "lib").iterdir()}
    assert found == {jar.file: jar.sha256 for jar in jars.read_lock()}
