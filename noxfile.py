"""The isolated checks, each in its own environment. CI runs these and nothing else.

``nox`` runs `lint` and `tests`; ``nox -s "validate(cpu)"`` is the gate.
"""

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.error_on_missing_interpreters = True
nox.options.reuse_venv = "yes"
# A process compiles what it imports, and keeps it for the next. Images of containers turn that off.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# For uv, to compile all at once.
COMPILED = {"UV_COMPILE_BYTECODE": "1"}

PROJECT = nox.project.load_toml("pyproject.toml")
# The lock: each dependency's version, and the SHA-256 of its files. `lock` writes it.
CONSTRAINTS = Path("constraints.txt")
# Of the figures in the README: RECIPE/seed-N.json. benchmarks/keep_records.py writes them.
RECORDS = Path("benchmarks", "records")
LOCKED_GROUPS = ("lint", "tests", "browser", "cpu")
# A process for each core, but at most four, because each may take a gigabyte. The tests of a file
# share what they prepare, and stay together. The longest come first: see tests/conftest.py.
PARALLEL = (
    *("-n", "logical", "--maxprocesses", "4"),
    *("--dist", "loadfile", "--no-loadscope-reorder"),
)
# All tests but those that train, and those of what only one kernel has.
QUICK = ("-m", "not slow and not cluster and not browser", "--ignore", "tests/vetting/isolation")
# Where the version of each dependency matters most. With the libraries of the network, it is one
# whole workflow.
OF_DEPENDENCIES = {
    "filelock": ("tests/test_locks.py",),
    "h5py": ("tests/vetting/static",),
    "invoke": ("tests/test_tasks.py",),
    "jinja2": ("tests/reporting",),
    "keras": (),
    "msgspec": ("tests/test_records.py", "tests/test_old_records.py", "tests/checking"),
    "numpy": ("tests/data", "tests/predicting"),
    "packaging": ("tests/environment",),
    "pillow": ("tests/data", "tests/predicting"),
    "platformdirs": ("tests/data",),
    "requests": ("tests/data",),
    "rich": ("tests/reporting", "tests/test_console.py"),
    "tensorflow": (),
    "tf-keras": (),
    "truststore": ("tests/data",),
    "typer": (
        "tests/cli/test_start.py",
        "tests/cli/test_project_defaults.py",
        "tests/test_docs.py",
    ),
}
WORKFLOW = "tests/cli/test_app.py::test_the_whole_workflow"
# With these set, the tests fail where they would otherwise be skipped.
WITH_BROWSER = {"REQUIRE_BROWSER": "1"}
WITH_CLUSTER = {"REQUIRE_CLUSTER": "1"}
WITH_EXPORT = {"REQUIRE_EXPORT": "1"}
PROOF = """
import sys
import tensorflow as tf
has_cuda, gpus = tf.test.is_built_with_cuda(), tf.config.list_physical_devices("GPU")
print(f"TensorFlow {tf.__version__}: CUDA build: {has_cuda}, GPUs: {len(gpus)}")
sys.exit(0 if sys.argv[1] == "cpu" or (has_cuda and gpus) else "this build sees no GPU")
"""
LIGHT_IMPORT = """
import sys
import mnist_tasks
heavy = {"keras", "numpy", "rich", "tensorflow", "typer"} & sys.modules.keys()
sys.exit(f"import mnist_tasks loads {sorted(heavy)}" if heavy else 0)
"""

# What `validate(gpu)` trains, and how far apart the test accuracies of the first two may be.
TRAININGS = {
    "gpu": ("--device", "gpu"),
    "cpu": ("--device", "cpu"),
    "gpu-bfloat16": ("--device", "gpu", "--precision", "mixed_bfloat16"),
}
LARGEST_DIFFERENCE = 0.3  # percentage points


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, types, the order of imports and what CI runs, without TensorFlow."""
    install(session, *nox.project.dependency_groups(PROJECT, "lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")
    session.run("lint-imports")
    session.run("python", "-m", "tests.ci_files")


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests and show the coverage. Options for pytest go after ``--``."""
    # Many processes start at once, of which the confined ones can't keep what they compile.
    session.env.update(COMPILED)
    install(session, "-e", ".[export]", *nox.project.dependency_groups(PROJECT, "tests"))
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", *PARALLEL, *session.posargs, env=WITH_EXPORT)
    session.run("coverage", "combine", "--quiet")
    # The floor is that of all tests.
    session.run("coverage", "report", *(["--fail-under=0"] if selects(session.posargs) else []))


@nox.session(default=False)
def minimums(session: nox.Session) -> None:
    """Run tests of the dependencies on the lowest versions that pyproject.toml allows."""
    # Old releases warn about each other, which is not the package's fault.
    chosen = sorted({path for paths in OF_DEPENDENCIES.values() for path in paths})
    quick_tests(session, "lowest-direct", chosen, "-W", "default")


@nox.session(default=False)
def newest(session: nox.Session) -> None:
    """Run quick tests on the newest version of each dependency that pyproject.toml allows."""
    quick_tests(session, "highest", ())


@nox.session(default=False)
def lock(session: nox.Session) -> None:
    """Write constraints.txt. Versions stay if they can; ``-- --upgrade`` takes the newest."""
    session.install("uv")
    groups = (word for group in LOCKED_GROUPS for word in ("--group", group))
    session.run(
        *("uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11"),
        *("--generate-hashes", "--no-annotate", "--no-emit-index-url"),
        *("pyproject.toml", "--all-extras", *groups, "-o", str(CONSTRAINTS), *session.posargs),
    )


@nox.session(default=False)
def build(session: nox.Session) -> None:
    """Build wheel and sdist, install the wheel in a fresh environment, and use it.

    ``-- FOLDER`` keeps what was built there, once it has passed.
    """
    install(session, "build>=1.2", "mypy>=1.14")
    folder = Path(session.create_tmp()).resolve()
    shutil.rmtree(folder)
    session.run("python", "-m", "build", "--outdir", str(folder / "dist"))
    (wheel,) = (folder / "dist").glob("*.whl")
    require_complete(session, wheel)
    binaries = folder / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
    python = str(binaries / "python")
    if session.venv_backend == "uv":
        session.run("uv", "venv", "--quiet", str(folder / "venv"))
        install_wheel = ("uv", "pip", "install", "--quiet", "--python", python, str(wheel))
        session.run(*install_wheel)
    else:
        session.run("python", "-m", "venv", str(folder / "venv"))
        session.run(python, "-m", "pip", "install", "--quiet", str(wheel), external=True)
    shutil.copy("tests/api_types.py", folder)
    with session.chdir(folder):
        session.run(str(binaries / "mnist-tasks"), "--help", silent=True, external=True)
        session.run(python, "-c", LIGHT_IMPORT, external=True)
        session.run("mypy", "--strict", "--python-executable", python, "api_types.py")
    if session.posargs:
        (kept,) = session.posargs
        shutil.copytree(folder / "dist", Path(session.invoked_from, kept), dirs_exist_ok=True)


@nox.session(default=False)
def browser(session: nox.Session) -> None:
    """Open the pages of reports and demos in the system's Chromium."""
    install_build(session, "cpu")
    install(session, *nox.project.dependency_groups(PROJECT, "browser"))
    session.run("python", "-m", "pytest", "tests/browser", *session.posargs, env=WITH_BROWSER)


@nox.session(default=False)
def cluster(session: nox.Session) -> None:
    """Run sweeps on a local Ray cluster of two nodes, one of which is killed."""
    install(session, "-e", ".[cluster]", *nox.project.dependency_groups(PROJECT, "tests"))
    pytest = ("python", "-m", "pytest", "tests/sweeping/test_ray_executor.py")
    session.run(*pytest, *session.posargs, env=WITH_CLUSTER)


@nox.session(default=False)
@nox.parametrize(
    "build",
    [nox.param("cpu", id="cpu", tags=["cpu"]), nox.param("gpu", id="gpu", tags=["gpu"])],
)
def validate(session: nox.Session, build: str) -> None:
    """Fetch, train, check and report on real MNIST, on a CPU or a GPU build of TensorFlow.

    ``-- MODEL`` checks and reports on a model from elsewhere; ``-- --junit FILE --markdown FILE``
    keeps the verdict.
    """
    folder = Path(session.create_tmp()).resolve()
    try:
        wanted = gate_options(session.posargs, Path(session.invoked_from))
    except SystemExit:  # of argparse, which has printed why; nox itself ends with 1
        session.error("validate takes MODEL, --junit FILE and --markdown FILE, and nothing else")
    if wanted.model is not None and wanted.model.resolve().is_relative_to(folder):
        session.error(f"{wanted.model} is in {folder}, which is emptied first: copy it elsewhere")
    if build == "gpu":
        require_gpu(session)
    install_build(session, build)
    session.run("python", "-c", PROOF, build)
    shutil.rmtree(folder)
    folder.mkdir()
    env = {"MNIST_TASKS_DATA": data_folder(session)}
    if build == "gpu" and wanted.model is None:
        compare_devices(session, env, folder, wanted)
    else:
        session.run("invoke", *gate(wanted, folder), env=env)


@nox.session(default=False)
def reproduce(session: nox.Session) -> None:
    """Train one seed of each published recipe again, and compare it with its record.

    ``-- NAME...`` chooses recipes.
    """
    records = published(session.posargs)
    install_build(session, "cpu")
    env = {"MNIST_TASKS_DATA": data_folder(session)}
    others = []
    for name, record in records.items():
        command = ("mnist-tasks", "reproduce", str(record), "--json")
        answer = session.run(
            *command, env=env, silent=True, stderr=sys.stderr, success_codes=[0, 1]
        )
        found = json.loads(str(answer))["result"]
        session.log(f"{name}, seed {found['seed']}: {found['status']}. {found['reason']}")
        others += [] if found["reproduced"] else [name]
    if others:
        session.error(f"not reproduced: {', '.join(others)}")


@nox.session(default=False)
def fuzz(session: nox.Session) -> None:
    """Damage files at random and read them. ``-- --seconds 60`` sets the budget of each fuzzer."""
    install(session, "-e", ".")
    session.run("python", "-m", "tests.fuzz", *session.posargs)


@nox.session(default=False)
def scanners(session: nox.Session) -> None:
    """Scan the crafted model files with two other scanners, and compare what is reported."""
    session.install("-e", ".", *nox.project.dependency_groups(PROJECT, "scanners"))
    session.run("python", "-m", "tests.vetting.scanners")


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Time the workflow against its alternatives. Options go after ``--``."""
    session.env.update(COMPILED)
    install(session, ".")
    if "--with-torch" in session.posargs:
        session.install("torch==2.13.0")
    session.run("python", "benchmarks/bench.py", *session.posargs)


def install(session: nox.Session, *requirements: str) -> None:
    """Install locked versions; uv verifies the hash of each file, too."""
    constraints = CONSTRAINTS
    if session.venv_backend != "uv":
        # pip takes constraints with hashes only if everything has one, also this package.
        constraints = Path(session.create_tmp()).parent / CONSTRAINTS
        pins = re.sub(r" \\\n +--hash=\S+", "", CONSTRAINTS.read_text())
        constraints.write_text(pins)
    session.install("-c", str(constraints), *requirements)


def quick_tests(
    session: nox.Session, resolution: str, chosen: Sequence[str], *options: str
) -> None:
    """Run tests on versions that are not locked, but resolved from pyproject.toml."""
    session.install("uv")
    python = Path(session.bin) / ("python.exe" if sys.platform == "win32" else "python")
    session.run(
        *("uv", "pip", "install", "--quiet", "--upgrade", "--python", str(python)),
        *("--resolution", resolution, "-e", "."),
        *nox.project.dependency_groups(PROJECT, "tests"),
    )
    pytest = ("python", "-m", "pytest", *options)
    if not session.posargs:
        session.run(*pytest, WORKFLOW)
    session.run(*pytest, *PARALLEL, *(session.posargs or (*QUICK, *chosen)))


def selects(options: Sequence[str]) -> bool:
    """Return whether these options of pytest choose some of the tests."""
    choosing = ("-k", "-m", "--deselect", "--ignore", "--last-failed", "--lf", "--stepwise", "--sw")
    return any(
        option.startswith(choosing) or Path(option.partition("::")[0]).exists()
        for option in options
    )


def require_complete(session: nox.Session, wheel: Path) -> None:
    """Fail if the wheel lacks a file of the package: a template, the schema, ``py.typed``."""
    git = shutil.which("git") or "git"
    listed = subprocess.run(
        [git, "ls-files", "mnist_tasks"], capture_output=True, text=True, check=True
    )
    with zipfile.ZipFile(wheel) as archive:
        missing = set(listed.stdout.split()) - set(archive.namelist())
    if missing:
        session.error(f"the wheel lacks {', '.join(sorted(missing))}")


def require_gpu(session: nox.Session) -> None:
    """Skip if there is no GPU, before gigabytes are installed; fail if one is required."""
    reason = "no GPU: nvidia-smi is not installed"
    if found := shutil.which("nvidia-smi"):
        listed = subprocess.run([found, "-L"], capture_output=True, text=True, check=False)
        if listed.returncode == 0 and "GPU" in listed.stdout:
            session.log(listed.stdout.strip())
            return
        reason = "no GPU: nvidia-smi lists none"
    if os.environ.get("REQUIRE_GPU") == "1":
        session.error(f"{reason}, and REQUIRE_GPU=1")
    session.skip(reason)


def data_folder(session: nox.Session) -> str:
    """Return the folder of the data files: that of the user, or one beside the environments."""
    data = os.environ.get("MNIST_TASKS_DATA") or session.cache_dir.resolve() / "data"
    return str(Path(session.invoked_from, data))


def published(names: Sequence[str]) -> dict[str, Path]:
    """Return a record of each published recipe, or of those with these names: the first seed's."""
    there = {folder.name: folder for folder in sorted(RECORDS.iterdir()) if folder.is_dir()}
    if unknown := set(names) - there.keys():
        raise SystemExit(f"no records of {', '.join(sorted(unknown))}, but of {', '.join(there)}")
    return {
        name: min(folder.glob("seed-*.json"), key=lambda path: (len(path.name), path.name))
        for name, folder in there.items()
        if not names or name in names
    }


def gate_options(words: list[str], called_from: Path) -> argparse.Namespace:
    """Read the options of `validate`; the paths are relative to where nox was called."""

    def path(word: str) -> Path:
        if not word:  # as of an unset variable of the shell; it would be the folder itself
            raise argparse.ArgumentTypeError("an empty path")
        return called_from / word

    parser = argparse.ArgumentParser("nox -s validate --", add_help=False)
    parser.add_argument("model", nargs="?", type=path)
    parser.add_argument("--junit", type=path)
    parser.add_argument("--markdown", type=path)
    return parser.parse_args(words)


def gate(wanted: argparse.Namespace, folder: Path) -> list[str]:
    """Return the task, with its options, that checks a model, or trains one in a folder first.

    It runs in the project's folder, and so with the project's settings and contract.
    """
    new = {"--device": "cpu", "--output": folder / "model_latest.h5"}
    options = {
        **(new if wanted.model is None else {"--model": wanted.model}),
        "--runs": folder / "runs",
        "--junit": wanted.junit,
        "--markdown": wanted.markdown,
    }
    return ["workflow", *flags(options)]


def flags(options: dict[str, Any]) -> list[str]:
    """Return the words of the options that have a value."""
    return [str(word) for pair in options.items() if pair[1] is not None for word in pair]


def compare_devices(
    session: nox.Session, env: dict[str, str], folder: Path, wanted: argparse.Namespace
) -> None:
    """Train and check on the GPU and on the CPU, show each speed, report, and require parity."""
    runs = ("--runs", str(folder / "runs"))

    def run(*arguments: str) -> Any:
        command = ("mnist-tasks", *arguments, *runs, "--json")
        # A model that fails the contract is reported on, too.
        answer = session.run(
            *command, env=env, silent=True, stderr=sys.stderr, success_codes=[0, 1]
        )
        return json.loads(str(answer))["result"]

    session.run("mnist-tasks", "fetch", env=env)
    results = {}
    for name, options in TRAININGS.items():
        model = str(folder / f"{name}.h5")
        files = {"--junit": wanted.junit, "--markdown": wanted.markdown} if name == "gpu" else {}
        record = run("train", "--output", model, *options)
        results[name] = run("check", model, "--offline", *flags(files))
        last, machine = record["epochs"][-1], record["machine"]
        speed = f"{last['images_per_second']:,.0f} images/s, {last['seconds']:.1f} s an epoch"
        session.log(f"{name}: {speed}, {accuracy(results[name]):.2f}% on {machine['device']}")
    session.run("mnist-tasks", "report", *runs, env=env)
    if fault := disparity(results):
        session.error(fault)


def disparity(results: dict[str, dict[str, Any]]) -> str:
    """Compare the results of ``check --json``; return what failed or differs too much, or ""."""
    for name, result in results.items():
        if any(checked["exit_code"] for checked in result["checks"]):
            return f"the model {name} did not pass the contract"
    accuracies = accuracy(results["gpu"]), accuracy(results["cpu"])
    difference = abs(accuracies[0] - accuracies[1])
    if round(difference, 6) <= LARGEST_DIFFERENCE:
        return ""
    found = "GPU {:.2f}%, CPU {:.2f}%".format(*accuracies)
    return f"the test accuracies are more than {LARGEST_DIFFERENCE} points apart: {found}"


def accuracy(result: dict[str, Any]) -> float:
    """Return the test accuracy, in percent, of the only model in a result of ``check --json``."""
    (checked,) = result["checks"]
    confusion = checked["check"]["metrics"]["confusion"]
    correct: int = sum(row[label] for label, row in enumerate(confusion))
    return 100 * correct / sum(map(sum, confusion))


def install_build(session: nox.Session, build: str) -> None:
    """Install the package with one build of TensorFlow, never two: they share files."""
    has_cpu_build = (sys.platform, platform.machine().lower()) in {
        ("linux", "x86_64"),
        ("win32", "amd64"),
    }
    if build == "gpu":
        install(session, ".[gpu]")
    elif not has_cpu_build:
        install(session, ".")
    else:
        needs = PROJECT["project"]["dependencies"]
        # tf-keras requires the package tensorflow, but runs with either build.
        alone = [need for need in needs if need.startswith(("tensorflow", "tf-keras"))]
        install(
            session,
            *(need for need in needs if need not in alone),
            *nox.project.dependency_groups(PROJECT, "cpu"),
        )
        install(session, "--no-deps", *(each for each in alone if "tf-keras" in each), ".")
