"""The process that imports TensorFlow and reports, line by line, how far it got.

Each line on its standard output is a JSON object; what libraries print goes to standard error. If
the process crashes, the lines written so far remain.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import time
from pathlib import Path
from typing import Any

from mnist_tasks import fast_import

# What TensorFlow loads before it accepts a GPU, by the version of CUDA.
_CUDA_LIBRARIES = {
    "12": (
        "libcudart.so.12",
        "libcublas.so.12",
        "libcublasLt.so.12",
        "libcufft.so.11",
        "libcusolver.so.11",
        "libcusparse.so.12",
    ),
}
_DRIVER_LIBRARY = "libcuda.so.1"


def main() -> None:
    """Import TensorFlow, list its devices and load its CUDA libraries."""
    output = os.dup(1)
    os.dup2(2, 1)

    def report(facts: dict[str, Any]) -> None:
        os.write(output, json.dumps(facts).encode() + b"\n")

    try:
        build = _import()
        report(build)
        report(_devices())
        if build["cuda_build"]:
            report({"libraries": _libraries(build)})
    except BaseException as error:  # includes SystemExit
        report({"failure": f"{type(error).__name__}: {error}"})
    os._exit(0)  # TensorFlow takes a quarter of a second to exit normally


def _import() -> dict[str, Any]:
    start = time.perf_counter()
    # Log everything, also each library that TensorFlow loads.
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "0"
    os.environ["TF_CPP_VMODULE"] = "dso_loader=1"
    with fast_import.light():
        import keras
        import tensorflow as tf

    build = tf.sysconfig.get_build_info()
    return {
        "seconds": round(time.perf_counter() - start, 2),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "module": tf.__file__,
        "cuda_build": bool(tf.test.is_built_with_cuda()),
        "cuda": build.get("cuda_version"),
        "cudnn": build.get("cudnn_version"),
    }


def _devices() -> dict[str, Any]:
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    details = tf.config.experimental.get_device_details
    return {"gpus": [details(gpu).get("device_name", gpu.name) for gpu in gpus]}


def _libraries(build: dict[str, Any]) -> list[dict[str, str | None]]:
    """Load the CUDA libraries after TensorFlow has, so that a loaded one is found by its name."""
    names = [_DRIVER_LIBRARY, *_CUDA_LIBRARIES.get(str(build["cuda"]).split(".")[0], ())]
    if build["cudnn"]:
        names.append(f"libcudnn.so.{str(build['cudnn']).split('.')[0]}")
    packages = Path(build["module"]).parents[1] / "nvidia"
    return [_load(name, packages) for name in names]


def _load(name: str, packages: Path) -> dict[str, str | None]:
    message = None
    # Only TensorFlow's own files have the folders of pip's packages on their search path.
    for path in (name, *map(str, packages.glob(f"*/lib/{name}"))):
        try:
            ctypes.CDLL(path)
        except OSError as error:
            message = str(error)
        else:
            return {"name": name, "path": _loaded_from(name) or path, "error": None}
    return {"name": name, "path": None, "error": message}


def _loaded_from(name: str) -> str | None:
    """Return the file of a loaded library, if the system reports it."""
    try:
        maps = os.fsdecode(Path("/proc/self/maps").read_bytes())
    except OSError:
        return None
    # The name may be a link to a file with a longer one: libcudart.so.12.5.82.
    match = re.search(rf"(/\S*/{re.escape(name)}\S*)$", maps, re.MULTILINE)
    return match[1] if match else None
