"""`doctor` in real environments: healthy, without TensorFlow, with two of its packages, broken."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mnist_tasks import install
from mnist_tasks.environment import gpu
from tests import generated
from tests.conftest import SMALL_CLI, restore_ctrl_c
from tests.environment import throwaway
from tests.json_output import error_of, result_of
from tests.server import send, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from http.server import BaseHTTPRequestHandler

    Cli = Callable[..., subprocess.CompletedProcess[str]]
    Done = subprocess.CompletedProcess[str]

PATIENT = ("--timeout", "600")  # TensorFlow takes a minute to start on a busy machine
NARROW = {"COLUMNS": "80"}
needs_no_gpu = pytest.mark.skipif(
    gpu.detect().cards > 0, reason="what `doctor` reports about a GPU depends on its driver"
)


@pytest.fixture
def mirror() -> Iterator[str]:
    with serve(lambda request: send(request, b"\x1f\x8b and so on")) as url:
        yield url


def doctor(python: str, folder: Path, *options: str, env: dict[str, str] | None = None) -> Done:
    """Run `doctor` on the small data set, with the Python of an environment."""
    data = folder / "data"
    return subprocess.run(
        [python, str(SMALL_CLI), str(data), "doctor", "--data-dir", str(data), *options],
        cwd=folder,
        env={**os.environ, **NARROW, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=600,
    )


def by_name(done: Done) -> dict[str, dict[str, Any]]:
    """Return the findings of a JSON document by their names."""
    document = result_of(done)
    findings = {finding["name"]: finding for finding in document["findings"]}
    assert len(findings) == len(document["findings"])
    for finding in findings.values():
        assert (finding["remedy"] is None) == (finding["status"] == "ok"), finding
    for status in ("error", "warning"):
        count = sum(finding["status"] == status for finding in findings.values())
        assert document[f"{status}s"] == count
    return findings


def lines_of(done: Done) -> list[str]:
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stdout
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    return lines


def flat(done: Done) -> str:
    """Return standard output as one line."""
    return " ".join(" ".join(lines_of(done)).split())


@needs_no_gpu
@pytest.mark.slow
def test_a_healthy_environment(tmp_path: Path, mirror: str) -> None:
    python = throwaway.make(tmp_path / "venv")
    done = doctor(python, tmp_path, *PATIENT, "--mirror", mirror, env={"NO_COLOR": "1"})
    assert (done.returncode, done.stderr) == (0, "")
    assert lines_of(done)[-1] == "This machine can run the workflow."
    assert "error" not in done.stdout
    assert "warning" not in done.stdout
    assert "1 of 1 reachable" in flat(done)

    # A missing GPU is an error only if one is required.
    done = doctor(python, tmp_path, *PATIENT, "--offline", "--device", "gpu", "--json")
    assert done.returncode == 4
    findings = by_name(done)
    statuses = {name: finding["status"] for name, finding in findings.items()}
    assert statuses == {**dict.fromkeys(findings, "ok"), "devices": "error"}
    assert findings["Python"]["facts"]["executable"] == python
    assert findings["Python"]["facts"]["virtual_environment"] is True
    (package,) = findings["packages"]["facts"]["installed"]
    assert package["files"] > 10_000
    assert package["missing"] == package["changed"] == 0
    assert findings["import"]["facts"]["tensorflow"] == package["version"]
    assert findings["devices"]["facts"]["gpus"] is not None
    assert [file["state"] for file in findings["files"]["facts"]["files"]] == ["ok"] * 4
    assert findings["sources"]["facts"] == {"checked": False, "errors": None}
    assert findings["process"]["facts"]["loaded"] is True
    assert findings["process"]["facts"]["protections"]
    # Nothing was created.
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "venv"]


@needs_no_gpu
def test_without_tensorflow(tmp_path: Path, mirror: str) -> None:
    python = throwaway.make(tmp_path / "venv", tensorflow=False)
    done = doctor(python, tmp_path, "--mirror", mirror)
    assert (done.returncode, done.stderr) == (4, "")
    assert f"TensorFlow is not installed what to do: Run {install.command()}." in flat(done)
    assert lines_of(done)[-1] == "This machine can't run the workflow (1 error)."

    findings = by_name(doctor(python, tmp_path, "--offline", "--json"))
    assert findings["packages"]["status"] == "error"
    assert findings["packages"]["facts"]["installed"] == []
    assert "import" not in findings
    assert findings["devices"]["status"] == "ok"
    assert findings["process"]["status"] == "ok"
    assert findings["process"]["facts"]["loaded"] is False


def test_a_library_that_only_vetting_needs(tmp_path: Path) -> None:
    env = broken_tensorflow(tmp_path, "raise ImportError")
    (tmp_path / "path" / "h5py.py").write_text("raise ImportError('libhdf5.so: no such file')")
    done = doctor(sys.executable, tmp_path, "--offline", "--json", env=env)
    found = by_name(done)["process"]
    assert (done.returncode, found["status"]) == (4, "error")
    assert "can't vet a model: h5py" in found["found"]
    assert "libhdf5.so" in found["found"]
    assert "--force-reinstall --no-deps h5py==" in found["remedy"]


def test_a_temporary_folder_that_cant_be_used(tmp_path: Path) -> None:
    env = {**broken_tensorflow(tmp_path, "raise ImportError"), "TMPDIR": str(tmp_path / "none")}
    found = by_name(doctor(sys.executable, tmp_path, "--offline", "--json", env=env))["process"]
    assert found["status"] == "error"
    assert str(tmp_path / "none") in found["found"]
    assert "set TMPDIR" in found["remedy"]


def test_a_vetting_process_that_crashes(tmp_path: Path) -> None:
    env = broken_tensorflow(tmp_path, "raise ImportError")
    (tmp_path / "path" / "h5py.py").write_text("import os; os.abort()")
    found = by_name(doctor(sys.executable, tmp_path, "--offline", "--json", env=env))["process"]
    assert found["status"] == "error"
    assert "'start' with signal SIGABRT" in found["found"]
    assert found["remedy"] == f"Run {install.command()}."


@needs_no_gpu
@pytest.mark.slow
def test_with_both_packages_of_tensorflow(tmp_path: Path, mirror: str) -> None:
    python = throwaway.make(tmp_path / "venv", twice=True)
    done = doctor(python, tmp_path, *PATIENT, "--mirror", mirror)
    assert done.returncode == 4
    assert "files and break each other" in flat(done)
    assert "`python -m pip uninstall -y tensorflow" in flat(done)
    assert lines_of(done)[-1] == "This machine can't run the workflow (1 error)."

    findings = by_name(doctor(python, tmp_path, *PATIENT, "--offline", "--json"))
    errors = [name for name, finding in findings.items() if finding["status"] == "error"]
    assert errors == ["packages"]
    installed = findings["packages"]["facts"]["installed"]
    assert {build["name"] for build in installed} == {"tensorflow", "tensorflow-cpu"}
    assert all(build["files"] > 10_000 for build in installed)
    shared = findings["packages"]["found"].partition("share ")[2].split()[0].replace(",", "")
    assert int(shared) == min(build["files"] for build in installed)


def broken_tensorflow(folder: Path, code: str) -> dict[str, str]:
    """Create a module that is found before TensorFlow; return the variables for that."""
    (folder / "path" / "tensorflow").mkdir(parents=True)
    (folder / "path" / "tensorflow" / "__init__.py").write_text(code)
    return {"PYTHONPATH": str(folder / "path")}


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import os; os.abort()", "SIGABRT"),
        ("import time; time.sleep(100)", "not done after 1 s"),
        ("raise ImportError('libfoo.so: no such file')", "ImportError: libfoo.so: no such file"),
    ],
)
def test_a_tensorflow_that_cant_be_imported_is_an_error(
    tmp_path: Path, mirror: str, code: str, reason: str
) -> None:
    env = broken_tensorflow(tmp_path, code)
    limit = ("--timeout", "1") if "sleep" in code else ()
    done = doctor(sys.executable, tmp_path, "--mirror", mirror, *limit, env=env)
    assert (done.returncode, done.stderr) == (4, "")
    assert f"can't be imported: {reason}" in flat(done).replace("the process ended with ", "")
    assert "another module `tensorflow` is found first" in flat(done)
    assert lines_of(done)[-1] == "This machine can't run the workflow (1 error, 1 warning)."


@pytest.mark.parametrize("timeout", ["0", "nan", "inf", "1e300"])
def test_an_invalid_timeout_is_refused(tmp_path: Path, timeout: str) -> None:
    done = doctor(sys.executable, tmp_path, "--offline", "--timeout", timeout)
    assert done.returncode == 2
    assert "Invalid value for '--timeout'" in done.stderr


def test_missing_and_wrong_files_are_warnings_and_need_a_source(
    tmp_path: Path, mirror: str
) -> None:
    env = broken_tensorflow(tmp_path, "raise ImportError")
    python = sys.executable
    generated.write(tmp_path / "mnist", train=9, test=9)
    (tmp_path / "mnist" / "t10k-labels-idx1-ubyte").unlink()
    other = ("--data-dir", str(tmp_path / "mnist"), "--json")
    findings = by_name(doctor(python, tmp_path, *other, "--mirror", mirror, env=env))
    states = {file["name"]: file["state"] for file in findings["files"]["facts"]["files"]}
    assert states["train-images-idx3-ubyte"] == "wrong"
    assert states["t10k-labels-idx1-ubyte"] == "missing"
    assert findings["files"]["status"] == "warning"
    assert findings["files"]["remedy"] == "Run `mnist-tasks fetch`."
    assert findings["sources"]["status"] == "ok"

    nobody = ("--mirror", "http://127.0.0.1:9/")
    findings = by_name(doctor(python, tmp_path, *other, *nobody, env=env))
    assert findings["sources"]["status"] == "error"
    assert findings["sources"]["details"] == ["mirror: connection refused"]
    findings = by_name(doctor(python, tmp_path, "--json", *nobody, env=env))
    assert findings["files"]["status"] == "ok"
    assert findings["sources"]["status"] == "warning"


def test_the_mirror_may_be_set_in_the_environment(tmp_path: Path) -> None:
    requests = []

    def answer(request: BaseHTTPRequestHandler) -> None:
        requests.append(request.path)
        send(request, b"\x1f\x8b")

    broken = broken_tensorflow(tmp_path, "raise ImportError")
    with serve(answer) as url:
        env = {**broken, "MNIST_TASKS_MIRROR": url}
        doctor(sys.executable, tmp_path, env=env)
        assert requests == ["/t10k-labels-idx1-ubyte.gz"]
        doctor(sys.executable, tmp_path, "--offline", env=env)
        assert len(requests) == 1


def test_a_mirror_without_a_valid_address_is_wrong_usage(cli: Cli) -> None:
    done = cli("doctor", "--mirror", "ftp://x/", "--json")
    assert done.returncode == 2
    assert error_of(done)["subject"] == "--mirror"


def test_a_folder_that_cant_be_written_is_an_error(tmp_path: Path) -> None:
    env = broken_tensorflow(tmp_path, "raise ImportError")
    (tmp_path / "file").write_bytes(b"")
    options = ("--runs", "file", "--offline", "--json")
    findings = by_name(doctor(sys.executable, tmp_path, *options, env=env))
    assert findings["runs"]["status"] == "error"
    assert "is not a folder" in findings["runs"]["found"]
    assert "--runs" in findings["runs"]["remedy"]


def test_ctrl_c_ends_the_probe_too(tmp_path: Path) -> None:
    code = "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(60)"
    process = subprocess.Popen(
        [sys.executable, "-m", "mnist_tasks", "doctor", "--offline"],
        cwd=tmp_path,
        env={**os.environ, **broken_tensorflow(tmp_path, code)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=restore_ctrl_c,
    )
    pid = tmp_path / "pid"
    end = time.monotonic() + 300
    while not (pid.exists() and pid.read_text()) and time.monotonic() < end:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=600)
    assert process.returncode == 130
    assert "Traceback" not in stderr
    child = Path("/proc") / pid.read_text()
    while child.exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert not child.exists()


def test_color_can_be_forced_and_suppressed(tmp_path: Path) -> None:
    env = broken_tensorflow(tmp_path, "raise ImportError")
    options = ("--offline",)
    forced = {"FORCE_COLOR": "1", "NO_COLOR": ""}
    colored = doctor(sys.executable, tmp_path, *options, env={**env, **forced})
    assert "\x1b[1;31merror" in colored.stdout
    no_color = {**env, "FORCE_COLOR": "1", "NO_COLOR": "1"}
    assert "\x1b[1;31m" not in doctor(sys.executable, tmp_path, *options, env=no_color).stdout


def test_the_parent_imports_nothing_heavy(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from mnist_tasks.cli.app import app\n"
        "app(['doctor', '--offline', '--json'], standalone_mode=False)\n"
        "print(*{'tensorflow', 'keras', 'tf_keras', 'h5py'} & set(sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={**os.environ, **broken_tensorflow(tmp_path, "raise ImportError")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == ""
