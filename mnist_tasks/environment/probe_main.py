"""A process of its own that imports TensorFlow and tells, line by line, how far it came.

Each line on what was its standard output is one JSON object; what libraries print goes to standard
error. What ends the process leaves the lines that came before.
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

# What TensorFlow opens before it accepts a GPU, for CUDA 12; each library counts by itself.
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
    """Import TensorFlow, list its devices, look for its libraries; leave without ceremony."""
    output = os.dup(1)
    os.dup2(2, 1)

    def tell(facts: dict[str, Any]) -> None:
        os.write(output, json.dumps(facts).encode() + b"\n")

    try:
        told = _import()
        tell(told)
        tell(_devices())
        if told["cuda_build"]:
            tell({"libraries": _libraries(told)})
    except BaseException as error:  # also what would end the process
        tell({"failure": f"{type(error).__name__}: {error}"})
    # Leaving the usual way would take TensorFlow a quarter of a second.
    os._exit(0)


def _import() -> dict[str, Any]:
    begun = time.perf_counter()
    # Its own words are wanted here, also the one for each library that it opens.
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "0"
    os.environ["TF_CPP_VMODULE"] = "dso_loader=1"
    with fast_import.light():
        import keras
        import tensorflow as tf

    build = tf.sysconfig.get_build_info()
    return {
        "seconds": round(time.perf_counter() - begun, 2),
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


def _libraries(told: dict[str, Any]) -> list[dict[str, str | None]]:
    """Open what TensorFlow needs of CUDA, after it has: an open library is found by its name."""
    wanted = [_DRIVER_LIBRARY, *_CUDA_LIBRARIES.get(str(told["cuda"]).split(".")[0], ())]
    if told["cudnn"]:
        wanted.append(f"libcudnn.so.{str(told['cudnn']).split('.')[0]}")
    packages = Path(told["module"]).parents[1] / "nvidia"
    return [_open(name, packages) for name in wanted]


def _open(name: str, packages: Path) -> dict[str, str | None]:
    why = None
    # TensorFlow's own files name the folders of pip's packages; nobody else looks there.
    for path in (name, *map(str, packages.glob(f"*/lib/{name}"))):
        try:
            ctypes.CDLL(path)
        except OSError as error:
            why = str(error)
        else:
            return {"name": name, "path": _where(name) or path, "why": None}
    return {"name": name, "path": None, "why": why}


def _where(name: str) -> str | None:
    """Return the file that an open library came from, where the system tells."""
    try:
        maps = Path("/proc/self/maps").read_text()
    except OSError:
        return None
    # The file may have a longer name than the link by which it was found: libcudart.so.12.5.82.
    match = re.search(rf"(/\S*/{re.escape(name)}\S*)$", maps, re.MULTILINE)
    return match[1] if match else None


if __name__ == "__main__":
    main()
