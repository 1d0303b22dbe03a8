"""TensorFlow in another process, in which it may do anything."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mnist_tasks import install
from mnist_tasks.environment import gpu_use, probe
from mnist_tasks.environment.probe import Library, ProbeResult

if TYPE_CHECKING:
    from pathlib import Path


def put(folder: Path, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Create modules `tensorflow` and `keras` that are found first."""
    (folder / "tensorflow.py").write_text(code)
    (folder / "keras.py").write_text("import tensorflow\n__version__ = '3'\n")
    monkeypatch.syspath_prepend(str(folder))


WORKS = """
import types
__version__, __file__ = "2.21.0", "/x/tensorflow/__init__.py"
sysconfig = types.SimpleNamespace(get_build_info=lambda: {"cuda_version": "12.5.1"})
test = types.SimpleNamespace(is_built_with_cuda=lambda: False)
config = types.SimpleNamespace(
    list_physical_devices=lambda kind: [],
    experimental=types.SimpleNamespace(get_device_details=None),
)
"""


def test_the_result_is_what_the_process_reports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = "import os; os.write(1, b'{\"failure\": \"not ours\"}\\n'); print('noise')\n"
    put(tmp_path, noise + WORKS, monkeypatch)
    found = probe.probe()
    assert (found.failure, found.tensorflow, found.cuda) == (None, "2.21.0", "12.5.1")
    assert found.gpus == ()
    shown = probe.finding(found)
    assert shown.status == "ok"
    assert "TensorFlow 2.21.0, CPU build; Keras 3" in shown.found


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        ("import os; os.abort()", "the process ended with SIGABRT"),
        ("import os; os._exit(3)", "the process ended with exit code 3"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("raise ImportError('\\x1b[31mlibfoo')", "ImportError: ?[31mlibfoo"),
        ("def broken(:", "SyntaxError: invalid syntax"),
    ],
)
def test_a_failed_import_has_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, failure: str
) -> None:
    put(tmp_path, f"import sys; print('last words', file=sys.stderr)\n{code}\n", monkeypatch)
    found = probe.probe()
    assert found.failure is not None
    assert found.failure.startswith(failure)
    assert found.tensorflow is None
    shown = probe.finding(found)
    assert shown.status == "error"
    assert shown.found.startswith("can't be imported: ")
    if "def broken" not in code:
        assert "last words" in shown.details
    remedy = probe.finding(found, "tensorflow-cpu==2.21.0").remedy or ""
    if "no_such_module" in code:
        assert install.command() in remedy
    else:
        assert str(tmp_path / "tensorflow.py") in remedy
        assert "--force-reinstall tensorflow-cpu==2.21.0`" in remedy


def test_a_hanging_import_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "import time; time.sleep(60)", monkeypatch)
    start = time.monotonic()
    found = probe.probe(0.5)
    assert found.failure == "not done after 0.5 s"
    assert time.monotonic() - start < 5
    # A slow machine is no broken package, which is the next thing to try.
    remedy = probe.finding(found).remedy or ""
    assert remedy.startswith("Rerun with a higher --timeout: the machine may be slow or busy. If")
    assert "--force-reinstall tensorflow`" in remedy


def test_a_crash_keeps_what_was_reported_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(
        tmp_path,
        f"{WORKS}\nimport os\nconfig.list_physical_devices = lambda _: os.abort()",
        monkeypatch,
    )
    found = probe.probe()
    assert (found.tensorflow, found.gpus, found.signal) == ("2.21.0", None, "SIGABRT")
    assert probe.finding(found).found.startswith("can't list its devices: ")


def test_a_processor_without_avx_has_a_remedy_of_its_own() -> None:
    found = probe.finding(ProbeResult(failure="the process ended with SIGILL", signal="SIGILL"))
    assert "AVX" in (found.remedy or "")


def test_messages_about_gpus_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lines are from TensorFlow 2.21."""
    lines = (
        "I0000 00:00:1795370302.842323   25644 cudart_stub.cc:31] Could not find cuda drivers",
        (
            "I0000 00:00:1.2 26102 dso_loader.cc:144] Could not load dynamic library 'libx.so.1'; "
            "dlerror: libx.so.1: no file; LD_LIBRARY_PATH: /x"
        ),
        "I0000 00:00:1795370302.842323   25644 port.cc:153] oneDNN custom operations are on.",
    )
    put(
        tmp_path,
        f"import sys; print({chr(10).join(lines)!r}, file=sys.stderr)\n{WORKS}",
        monkeypatch,
    )
    found = probe.probe()
    assert found.messages[0] == "cudart_stub.cc:31] Could not find cuda drivers"
    assert len(found.messages) == 2
    missing = Library(name="libx.so.1", path=None, error="libx.so.1: no file")
    assert found.libraries == (missing,)


CUDNN = "W0000 00:00:1.2 9 dso_loader.cc:55] libcudnn.so.9: cannot open shared object file: No"
CUFFT = (
    "I0000 00:00:1.2 9 dso_loader.cc:1] Could not load dynamic library 'libcufft.so.11'; dlerror: x"
)
DLOPEN = "W0000 00:00:1.2 9 gpu_device.cc:2342] Cannot dlopen some GPU libraries. Please make sure"
NO_DRIVER = "I0000 00:00:1.2 9 cudart_stub.cc:31] Could not find cuda drivers on your machine"
CU_INIT = "E0000 00:00:1.2 9 cuda_platform.cc:52] failed call to cuInit: UNKNOWN ERROR (303)"


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        (f"{CUDNN}\n{DLOPEN}", "the library libcudnn.so.9 can't be loaded"),
        (CUFFT, "the library libcufft.so.11 can't be loaded"),
        (DLOPEN, "some of CUDA's libraries are not installed"),
        (NO_DRIVER, "it finds no CUDA driver"),
        (f"{CU_INIT}\nmore", "CUDA does not start: UNKNOWN ERROR (303)"),
        ("\x1b[31mlibevil\x1b.so: cannot open shared object file", ""),
        ("", ""),
    ],
)
def test_the_reason_for_no_gpu_is_found_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: str, reason: str
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    put(tmp_path, f"import sys; print({log!r}, file=sys.stderr)\n{WORKS}", monkeypatch)
    result = replace(probe.probe(), cuda_build=True)
    assert gpu_use.why_unused(result) == reason
