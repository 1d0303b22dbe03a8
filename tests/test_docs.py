"""The README and docs/ describe what exists: commands, options, keys, layers, links, examples."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer
from invoke.collection import Collection
from invoke.program import Program

import mnist_tasks
import tasks
from mnist_tasks import errors, project, run_store
from mnist_tasks.checking import contract_file
from mnist_tasks.checking.contract import Contract
from mnist_tasks.cli.app import app
from mnist_tasks.data import project_table
from mnist_tasks.sweeping import plan, plan_file
from mnist_tasks.training import own_recipes, recipes
from mnist_tasks.vetting.static import allowlist
from tests.cli import reference
from tests.conftest import CommandLine
from tests.json_output import result_of

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).parents[1]
DOCS = PROJECT / "docs"
README = (PROJECT / "README.md").read_text(encoding="utf-8")
ROOT = typer.main.get_command(app)
PAGES = sorted(
    [
        *(PROJECT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
        *DOCS.glob("*.md"),
        PROJECT / "benchmarks" / "README.md",
    ]
)
PROGRAMS = ("mnist-tasks", "invoke", "nox", "python")
# The private dialect that this project once used; `old_records` still reads its records.
DIALECT = re.compile(
    r"house|stranger|tower|begun again|held against|\bmend|sureness|\bhits\b", re.IGNORECASE
)
SPEAKS_OF_OLD_RECORDS = {"old_records.py"}


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"^ *```{language}\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 150
    assert len(README.split()) <= 1300


def test_the_two_commands_are_at_the_top() -> None:
    assert blocks("sh") == [
        "python -m pip install -e . && invoke\n",
        'python -m pip install "nox[uv]" && nox\n',
    ]


# Commands


def inline_code(page: Path) -> set[str]:
    without_blocks = re.sub(r"^ *```.*?^ *```$", "", read(page), flags=re.MULTILINE | re.DOTALL)
    return {" ".join(code.split()) for code in re.findall(r"`([^`]+)`", without_blocks)}


def command_lines(page: Path) -> Iterator[str]:
    """Find the command lines in a page: in its blocks, and in its inline code."""
    text = read(page)
    for block in re.findall(r"^ *```\w*\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            found = re.fullmatch(r"\s*(?:- )?(?:run: )?(.*)", line)
            yield from re.split(r" && ", found[1] if found else "")
    yield from inline_code(page)


COMMANDS = [
    pytest.param(line, id=f"{page.name}: {line}")
    for page in PAGES
    if page.name != "cli.md"  # generated from the commands themselves
    for line in sorted(set(command_lines(page)))
    if line.split(" ")[0] in PROGRAMS and "COMMAND" not in line
]


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_line_parses(line: str) -> None:
    program, *arguments = shlex.split(line)
    if program == "mnist-tasks":
        parse_cli(arguments)
    elif program == "invoke":
        parse_invoke(arguments)
    elif program == "nox":
        parse_nox(arguments)
    else:
        parse_python(arguments)


def test_there_are_many_command_lines() -> None:
    assert len(COMMANDS) > 50


@pytest.mark.parametrize(
    "line", ["mnist-tasks calibrate x", "mnist-tasks train --sead 1", "mnist-tasks runs shwo x"]
)
def test_a_command_line_that_does_not_exist_does_not_parse(line: str) -> None:
    with pytest.raises(Exception, match=r"no command|[Nn]o such option"):
        parse_cli(shlex.split(line)[1:])


def parse_cli(arguments: list[str]) -> None:
    command: Any = ROOT
    context = None
    while hasattr(command, "commands"):
        if arguments and arguments[0] not in command.commands:
            assert arguments[0].startswith("-"), f"no command {arguments[0]}"
        if not arguments or arguments[0].startswith("-"):
            break
        command, arguments = command.commands[arguments[0]], arguments[1:]
    if hasattr(command, "commands") and "list" in command.commands:
        command = command.commands["list"]  # `runs` alone is `runs list`
    if not arguments and all(each.param_type_name == "option" for each in command.params):
        return
    try:
        context = command.make_context("mnist-tasks", list(arguments))
    except typer.Exit:  # --help, --version
        return
    assert context is not None


def parse_invoke(arguments: list[str]) -> None:
    program = Program(namespace=Collection.from_module(tasks))
    program.create_config()
    program.parse_core(["invoke", *arguments])
    program.parse_collection()
    program.parse_tasks()
    assert not program.core.unparsed or program.tasks


def parse_nox(arguments: list[str]) -> None:
    own = arguments[: arguments.index("--")] if "--" in arguments else arguments
    if own:
        option, session = own
        assert option == "-s"
        assert session in sessions()


def parse_python(arguments: list[str]) -> None:
    if arguments[0] == "-c":
        compile(arguments[1], "-c", "exec")
    elif arguments[0] != "-m":
        assert (PROJECT / arguments[0]).is_file()
    elif arguments[1] == "mnist_tasks":
        parse_cli(arguments[2:])
    else:
        assert importlib.util.find_spec(arguments[1]) or arguments[1] == "pip"


@cache
def sessions() -> frozenset[str]:
    listed = subprocess.run(
        [sys.executable, "-m", "nox", "--list"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return frozenset(re.findall(r"^[*-] (\S+)", listed, re.MULTILINE))


def test_every_command_of_the_cli_is_in_the_readme() -> None:
    there = set(ROOT.commands)  # type: ignore[attr-defined]
    assert set(re.findall(r"`mnist-tasks ([a-z][a-z-]*)", README)) == there


def test_every_session_is_documented() -> None:
    pages = README + read(DOCS / "ci.md")
    named = {name.strip('"') for name in re.findall(r"nox -s (\"[^\"]+\"|\w+)", pages)}
    assert named == sessions()


def test_the_reference_of_the_cli_is_current() -> None:
    remedy = "run `python -m tests.cli.reference`"
    assert read(reference.FILE) == reference.document(), remedy


def test_the_exit_codes_are_listed() -> None:
    rows = re.findall(r"^\| (\d+) \| ([^|]*?) \|", read(DOCS / "ci.md"), re.MULTILINE)
    assert [int(code) for code, _ in rows] == [code for code, _ in errors.EXIT_CODES]
    _, _, listed = README.partition("Exit codes: ")
    short = [each.split(" ", 1) for each in " ".join(listed.split()).split(" · ")]
    for (_, words), (code, meaning), (number, summary) in zip(
        rows, errors.EXIT_CODES, short, strict=False
    ):
        assert meaning in words
        assert (number, meaning in summary) == (str(code), True)


# Contracts and plans


@pytest.mark.parametrize("page", [PROJECT / "README.md", DOCS / "contract.md"], ids=str)
def test_the_examples_of_a_contract_are_valid(page: Path, tmp_path: Path) -> None:
    examples = blocks("toml", read(page))
    assert examples
    for example in examples:
        (tmp_path / "contract.toml").write_text(example)
        contract = contract_file.load(tmp_path / "contract.toml").contract
        assert contract != Contract()
        assert contract.accuracy_above == 0.985


def test_the_examples_of_data_sets_are_valid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    page = read(DOCS / "datasets.md")
    examples = blocks("toml", page)
    splits = re.findall(r"^\| `([\[{\"][^`]*)` \|", page, re.MULTILINE)
    assert len(splits) == 3
    header = '[tool.mnist-tasks.datasets.parts]\nclasses = ["a", "b"]\n'
    examples += [f"{header}train = {each}\ntest = {each}\n" for each in splits]
    for example in examples:
        (tmp_path / "pyproject.toml").write_text(example)
        found = project.find()
        assert found is not None
        assert found.settings.datasets or found.settings.dataset == "fashion-mnist"
        assert (project_table.find("parts") is not None) == bool(found.settings.datasets)
    keys = {field.name for field in fields(project_table.DatasetTable)} - {"lock"}
    assert keys <= inline_code(DOCS / "datasets.md")


def test_the_example_of_a_plan_is_valid(tmp_path: Path) -> None:
    (example,) = blocks("toml", read(DOCS / "sweeps.md"))
    (tmp_path / "plan.toml").write_text(example)
    found = plan_file.load(tmp_path / "plan.toml", plan.Plan())
    assert (len(found.settings), len(found.seeds), found.limit) == (7, 5, 20_000)


def test_the_examples_of_settings_are_valid(tmp_path: Path) -> None:
    examples = blocks("toml", read(DOCS / "own-model.md"))
    for example in examples:
        (tmp_path / "pyproject.toml").write_text(example)
        found = project.find(tmp_path)
        assert found is not None
        own = own_recipes.of_project(found)
        assert found.settings.recipe in {*own, "plain"}
    assert list(own) == ["mine"]


def test_every_setting_of_a_project_is_in_the_table() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", read(DOCS / "own-model.md"), re.MULTILINE)
    assert {field.name for field in fields(project.Settings)} - {"datasets"} <= set(rows)


def test_every_key_of_the_contract_is_in_the_table() -> None:
    schema = json.loads(read(PROJECT / "mnist_tasks" / "checking" / "contract.schema.json"))
    kinds = schema["$defs"]
    keys = set(kinds["Contract"]["properties"]) - {"perturbed", "baseline"}
    keys |= {f"perturbed.{name}" for name in kinds["Perturbed"]["properties"]}
    keys |= {f"baseline.{name}" for name in kinds["Baseline"]["properties"]}
    rows = re.findall(r"^\| (`.*?) \|", read(DOCS / "contract.md"), re.MULTILINE)
    assert set(re.findall(r"`([a-z_.]+)`", " ".join(rows))) == keys


def test_every_setting_of_a_recipe_is_in_the_table() -> None:
    rows = re.findall(r"^\| `(\w+)` \| .* \| .* \|$", read(DOCS / "sweeps.md"), re.MULTILINE)
    assert set(recipes.SETTINGS) <= set(rows)


def test_every_package_and_every_module_of_the_top_level_is_described() -> None:
    page = read(DOCS / "architecture.md")
    package = Path(mnist_tasks.__file__).parent
    (row,) = re.findall(r"^\| top level \|.*$", page, re.MULTILINE)
    modules = {path.stem for path in package.glob("*.py") if not path.stem.startswith("__")}
    assert set(re.findall(r"`(\w+)`", row)) == modules - {"tasks"}  # which has its own row
    packages = {path.parent.name for path in package.glob("*/__init__.py")}
    assert set(re.findall(r"^\| `(\w+)/` ", page, re.MULTILINE)) >= packages


def test_every_allowed_layer_is_listed() -> None:
    _, listed = read(DOCS / "untrusted-models.md").split("of these layers:\n")
    paragraph = listed.strip().split("\n\n")[0]
    assert set(re.findall(r"\w+", paragraph)) == allowlist.LAYERS | allowlist.ACTIVATION_LAYERS


# Those on loading models, and the pull requests of fixes without a number.
ADVISORIES = sorted(
    allowlist.words("""
    CVE-2024-3660 CVE-2024-55459 CVE-2025-12060 CVE-2025-12638 CVE-2025-1550 CVE-2025-8747
    CVE-2025-9905 CVE-2025-9906 CVE-2025-49655 CVE-2025-12058 CVE-2026-0897 CVE-2026-1669
    CVE-2026-1462 CVE-2026-12481 keras#22900 keras#23168 keras#22975 keras#23101 keras#23303
    """)
)


@pytest.mark.parametrize("advisory", ADVISORIES)
def test_every_advisory_names_crafted_files_that_are_refused(advisory: str) -> None:
    from tests.vetting.crafted import TABLE
    from tests.vetting.crafted.row import REFUSED

    (line,) = re.findall(
        rf"^\| [^|]*{advisory}\b.*: ([`\w., ]+) \|$",
        read(DOCS / "untrusted-models.md"),
        re.MULTILINE,
    )
    names = re.findall(r"`([\w.]+)`", line)
    assert names
    for name in names:
        rows = [row for row in TABLE if name in {row.name, Path(row.name).stem}]
        assert rows, name
        assert {row.exit_code for row in rows} == {REFUSED}


def test_the_crafted_files_are_counted() -> None:
    from tests.vetting.crafted import TABLE

    assert f"writes {len(TABLE)} files" in read(DOCS / "untrusted-models.md")


# Links and words


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", read(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    text = re.sub(r"^ *```.*?^ *```$", "", read(page), flags=re.MULTILINE | re.DOTALL)
    links = [
        first or second
        for first, second in re.findall(r"\]\(([^)\s]+)\)|src(?:set)?=\s*\"([^\"]+)\"", text)
    ]
    for link in links:
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_module_that_is_named_exists(page: Path) -> None:
    named = {code for code in inline_code(page) if re.fullmatch(r"[\w/]+\.py", code)}
    places = (".", "mnist_tasks", "mnist_tasks/starter/files", "benchmarks")
    folders = [PROJECT / place for place in places]
    assert [name for name in named if not any((each / name).is_file() for each in folders)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_option_that_is_named_exists(page: Path) -> None:
    """In inline code alone, such as `--offline`; `test_a_command_line_parses` does the others."""
    there = {option for each in commands(ROOT) for one in each.params for option in one.opts}
    there |= {"--help", *re.findall(r'"(--[a-z-]+)"', read(PROJECT / "benchmarks" / "bench.py"))}
    named = {
        option
        for code in inline_code(page)
        if not code.startswith(("nox", "python", "invoke"))
        for option in re.findall(r"(?<!\S)--[a-z-]+", code)
    }
    assert named <= there


def commands(group: Any) -> Iterator[Any]:
    yield group
    for command in getattr(group, "commands", {}).values():
        yield from commands(command)


def test_nothing_is_left_to_fill_in() -> None:
    assert [page.name for page in PAGES if "@@" in read(page)] == []


def test_the_help_and_the_page_have_each_recipe() -> None:
    (words,) = re.findall(r"Recipe to train: (.*) or one of your own", read(DOCS / "cli.md"))
    assert words.split(", ") == list(recipes.RECIPES)
    rows = re.findall(r"^\| `(\w+)` \| [\d,]+ \|", read(DOCS / "recipes.md"), re.MULTILINE)
    assert sorted(rows) == sorted(recipes.RECIPES)


def test_nothing_is_written_in_the_old_dialect() -> None:
    sources = [
        path
        for path in (PROJECT / "mnist_tasks").rglob("*")
        if path.suffix in {".py", ".jinja", ".css", ".json"}
        and path.name not in SPEAKS_OF_OLD_RECORDS
    ]
    found = [
        f"{path.relative_to(PROJECT)}: {line.strip()}"
        for path in (*PAGES, *DOCS.glob("*.ipynb"), *DOCS.glob("*.svg"), *sources)
        for line in read(path).splitlines()
        if DIALECT.search(line)
    ]
    assert found == []


# Python

NBCONVERT = (sys.executable, "-m", "nbconvert")
SMALL_DATA = """
import sys
from pathlib import Path
sys.path.insert(0, {project!r})
from tests import generated
generated.register(generated.write(Path({folder!r}), train=512, test=128))
"""


def run_python(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "MNIST_TASKS_DATA": str(folder / "data"), "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def small_data(folder: Path) -> str:
    """Return a program that makes the package accept a small generated data set."""
    return SMALL_DATA.format(project=str(PROJECT), folder=str(folder / "data"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [PROJECT / "README.md", DOCS / "own-model.md"], ids=lambda page: page.name
)
def test_the_example_in_python_runs(page: Path, python: CommandLine, tmp_path: Path) -> None:
    *_, example = blocks("python", read(page))
    (tmp_path / "mine.py").write_text(example, encoding="utf-8")
    run_it = 'import runpy; runpy.run_path("mine.py", run_name="__main__")'
    done = python("-c", small_data(tmp_path) + run_it)
    assert done.returncode == 0, done.stderr
    # Either example trains a model and checks it.
    (record,) = run_store.read_all(tmp_path / "runs").records
    assert record.check is not None
    assert (record.script is not None) == (page.name == "own-model.md")


@pytest.mark.slow
def test_the_example_of_a_network_is_trained(
    small_cli: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    example, _ = blocks("python", read(DOCS / "own-model.md"))
    (tmp_path / "net.py").write_text(example, encoding="utf-8")
    done = small_cli(
        "train", "--network", "net.py", "--epochs", "9", "--batch-size", "32", "--json"
    )
    assert done.returncode == 0, done.stderr
    record = result_of(done)
    assert record["trainer"] == "fast"
    assert record["epochs"][-1]["accuracy"] > 0.8


@pytest.mark.slow
def test_the_notebook_runs(tmp_path: Path) -> None:
    notebook = json.loads(read(DOCS / "tour.ipynb").replace("limit=6_000", "limit=512"))
    first: dict[str, Any] = {
        "cell_type": "code",
        "execution_count": None,
        "id": "small",
        "metadata": {},
    }
    notebook["cells"].insert(0, {**first, "outputs": [], "source": small_data(tmp_path)})
    # A command has a terminal there, which keeps each frame of a live display.
    is_live = "from mnist_tasks import console; print(console.is_live(console.messages()))"
    shown = {**first, "id": "shown", "outputs": [], "source": f'!{sys.executable} -c "{is_live}"'}
    notebook["cells"].append(shown)
    (tmp_path / "tour.ipynb").write_text(json.dumps(notebook))
    options = ("--to", "notebook", "--execute", "tour.ipynb", "--output", "done.ipynb")
    done = run_python(tmp_path, *NBCONVERT, *options)
    assert done.returncode == 0, done.stderr
    cells = json.loads((tmp_path / "done.ipynb").read_text())["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    assert [output for output in outputs if output.get("name") == "stderr"] == []
    assert [line.strip() for line in outputs[-1]["text"]] == ["False"]


def test_the_notebook_is_stored_without_outputs() -> None:
    notebook = json.loads(read(DOCS / "tour.ipynb"))
    assert [cell for cell in notebook["cells"] if cell.get("outputs")] == []
