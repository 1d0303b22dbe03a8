"""Names of files and folders that try to be markup, terminal escapes or new lines."""

import os
import re
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests import examples, json_output, runs
from tests.conftest import SMALL_CLI
from tests.fork_server import ForkServer
from tests.vetting.crafted import handmade

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="other systems allow fewer bytes in a name"
)
# No name may lose a part to markup of rich, Markdown or HTML, or send a control character.
VISIBLE = "[/x][red]r[link=evil.test]b[/link]:smile:<b>|`@bob`{{7*7}}%s"
CONTROLS = "\x1b[31m\x1b]0;t\x07\n\r\t\x7f\x9b31m\u202e"
WORST = f"{VISIBLE}{CONTROLS}".encode() + b"\xff\xfe"
COLORS = re.compile(r"\x1b\[[0-9;]*m")
# What rich writes for its own bars if colors are forced.
BARS = re.compile(r"\x1b\[(2K|1A|\?25[lh])|\r")


@pytest.mark.parametrize(
    "command",
    [
        "check NAME.h5 D/NAME.h5 sound/NAME.keras --junit j.xml --markdown m.md",
        "check NAME.h5 D/NAME.h5 sound/NAME.keras --json",
        "check --contract D/NAME.toml --json",
        "check none.h5 --runs D/NAME.h5 --junit D/NAME.h5/x --markdown D/NAME.h5/x",
        "vet NAME.h5 NAME D/NAME.h5 sound/NAME.keras",
        "vet NAME.h5 NAME D/NAME.h5 sound/NAME.keras --json",
        "export NAME.h5 --format saved-model",
        "export NAME.h5 --format saved-model -o D/NAME.h5/x --json",
        "report --runs D/NAME.h5",
        "report RUN --html out/NAME --markdown out/NAME.md --csv out/NAME.csv",
        "report RUN --html out/NAME --json",
        "runs show NAME --json",
        "runs --runs D/NAME.h5",
        "train -o D/NAME.h5/x.h5",
        "train -o NAME",
        "train --recipe NAME",
        "train --network NAME.py",
        "sweep D/NAME.toml",
        "sweep --seeds 0 -o D/NAME.h5/x",
        "fetch --from NAME --data-dir new --offline",
        "fetch --from D/NAME.h5 --data-dir new --offline",
        "false-alarms NAME --json",
        "doctor --data-dir D/NAME.h5 --runs D/NAME.h5 --offline --timeout 0.1",
        "NAME",
    ],
)
def test_a_name_is_only_text(
    command: str, tmp_path: Path, small_mnist: Path, fork_server: ForkServer
) -> None:
    runs.save(tmp_path / "runs", small_mnist)
    write_files(tmp_path)
    stdout, stderr = run(command, WORST, tmp_path, fork_server)
    texts = [COLORS.sub("", BARS.sub("", text)) for text in (stdout, stderr)]
    written = [path for path in tmp_path.glob("*.*") if path.suffix in (".xml", ".md")]
    texts += [path.read_text(encoding="utf-8").replace("\u200b", "") for path in written]
    for text in texts:
        assert text.replace("\n", "").isprintable()
    for path in tmp_path.glob("*.xml"):
        ET.fromstring(path.read_bytes())  # noqa: S314 - written by this package
    assert VISIBLE in "".join(re.sub(r"[\s│╭╮╰╯─\\]", "", text) for text in texts)
    # What looks like a color without its escape is only text.
    assert "\x1b[31mr" not in stdout + stderr
    if "--json" in command:
        json_output.of(stdout)


@pytest.mark.parametrize(
    "command",
    [
        "check NAME.h5 NAME --contract NAME",
        "check NAME.h5 --runs NAME --junit NAME --markdown NAME --json",
        "vet NAME.h5 NAME",
        "export NAME --format saved-model -o NAME",
        "report NAME --runs NAME",
        "report RUN --html NAME",
        "train -o NAME.h5 --network NAME.py --runs NAME",
        "init NAME",
        "sweep NAME --output NAME",
        "fetch --from NAME --data-dir NAME",
        "doctor --data-dir NAME --runs NAME --offline --timeout 0.1",
    ],
)
def test_a_name_can_be_too_long(
    command: str, tmp_path: Path, small_mnist: Path, fork_server: ForkServer
) -> None:
    runs.save(tmp_path / "runs", small_mnist)
    run(command, b"x" * 300, tmp_path, fork_server)


@pytest.mark.slow
def test_a_model_can_have_any_name(tmp_path: Path, fork_server: ForkServer) -> None:
    for command in (
        "train --limit 200 -o out/NAME.h5 --json",
        "check out/NAME.h5 --json",
        "report --json",
        "runs show latest",
        "sweep --seeds 0 --limit 200 -o out/NAME.d --json",
        "false-alarms out/NAME.d --json",
    ):
        stdout, stderr = run(command, WORST, tmp_path, fork_server)
        texts = [COLORS.sub("", BARS.sub("", text)) for text in (stdout, stderr)]
        assert all(text.replace("\n", "").isprintable() for text in texts)
        if "--json" in command:
            found = json_output.of(stdout)["result"]
            assert not found.get("failed"), found


def run(command: str, name: bytes, folder: Path, server: ForkServer) -> tuple[str, str]:
    """Run a command of the command line, which must not end with a bug, and return its output."""
    words = [word.encode().replace(b"NAME", name) for word in command.split()]
    words = [word.replace(b"RUN", examples.run().id.encode()) for word in words]
    done = server.run(
        [str(SMALL_CLI), str(folder / "data"), *map(os.fsdecode, words)],
        cwd=folder,
        env={
            **os.environ,
            "MNIST_TASKS_DATA": str(folder / "data"),
            "FORCE_COLOR": "1",  # so that markup would show
            "COLUMNS": "2000",
        },
    )
    stdout, stderr = done.stdout.decode(), done.stderr.decode()
    assert done.returncode in range(5), stderr
    assert "Traceback" not in stderr
    return stdout, stderr


def write_files(folder: Path) -> None:
    """Write models, a table and folders with the name."""
    for inner in ("D", "sound", "out"):
        (folder / inner).mkdir()
    root = os.fsencode(folder)
    for path, content in (
        (b"D/" + WORST + b".h5", b"no model"),
        (b"D/" + WORST + b".toml", b"unknown = '\x1b'"),
        (b"sound/" + WORST + b".keras", handmade.write_keras(handmade.small())),
    ):
        file = Path(os.fsdecode(root + b"/" + path))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    Path(os.fsdecode(root + b"/D/" + WORST + b".d")).mkdir()
