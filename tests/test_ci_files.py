"""What CI and other projects run from here: `lint` checks the form, and these tests run it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import noxfile
from tests import ci_files, workflow_steps
from tests.ci_files import PROJECT
from tests.conftest import SMALL_CLI, Run
from tests.vetting.crafted import handmade

CONSTRAINTS = (PROJECT / "constraints.txt").read_text(encoding="utf-8")
SETTINGS = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
USES = re.compile(r"\buses: (\S+)(.*)")
WITH_ACTIONS = [*ci_files.WORKFLOWS, ci_files.STARTER, PROJECT / "action.yml", *ci_files.PAGES]


def test_each_action_is_pinned_to_one_commit() -> None:
    pins: dict[str, set[str]] = {}
    for path in WITH_ACTIONS:
        for action, comment in USES.findall(path.read_text(encoding="utf-8")):
            name, _, commit = action.partition("@")
            if name != "mnist-tasks/mnist-tasks":
                assert re.fullmatch(r"[0-9a-f]{40}", commit), action
                assert re.match(r" # v\d+\.\d+\.\d+$", comment), action
                pins.setdefault(name, set()).add(f"{commit}{comment}")
    assert len(pins) == 6
    assert {name for name, found in pins.items() if len(found) > 1} == set()


def test_the_docs_have_an_example_of_each_kind() -> None:
    kinds = [kind for kind, _, _ in ci_files.examples()]
    assert sorted(kinds) == [*["github-workflows"] * 2, *["gitlab-ci"] * 2, "pre-commit-config"]


def test_the_action_of_the_docs_is_this_projects() -> None:
    action = yaml.safe_load((PROJECT / "action.yml").read_text())
    repository = SETTINGS["project"]["urls"]["Repository"].removeprefix("https://github.com/")
    used = [
        step
        for kind, _, text in ci_files.examples()
        if kind == "github-workflows"
        for job in yaml.safe_load(text)["jobs"].values()
        for step in job["steps"]
        if step.get("uses", "").startswith(f"{repository}@")
    ]
    assert len(used) == 1
    assert set(used[0]["with"]) <= set(action["inputs"])


def test_every_session_of_the_workflow_exists() -> None:
    text = (PROJECT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    matrix = yaml.safe_load(text)["jobs"]["checks"]["strategy"]["matrix"]
    named = {*matrix["session"], *(each["session"] for each in matrix["include"])}
    assert named >= {"lint", "tests", "minimums", "newest", "build", "browser", "cluster"}
    assert all(callable(getattr(noxfile, name)) for name in named)


# The lock


def requirements() -> list[Requirement]:
    project, groups = SETTINGS["project"], SETTINGS["dependency-groups"]
    lists = [
        project["dependencies"],
        *project["optional-dependencies"].values(),
        *(groups[name] for name in noxfile.LOCKED_GROUPS),
    ]
    return [Requirement(line) for lines in lists for line in lines]


def test_the_lock_satisfies_what_is_required() -> None:
    remedy = "run `nox -s lock`"
    pins = re.findall(r"^([\w.-]+)==([^\s;]+)", CONSTRAINTS, re.MULTILINE)
    for requirement in requirements():
        versions = [text for name, text in pins if name == canonicalize_name(requirement.name)]
        assert versions, f"{requirement.name} is not locked: {remedy}"
        for version in versions:
            assert requirement.specifier.contains(version), f"{requirement}: {version}; {remedy}"


def test_the_lock_has_hashes_and_names_no_host() -> None:
    entries = re.split(r"\n(?=\S)", CONSTRAINTS.strip())[2:]
    assert len(entries) > 100
    for entry in entries:
        assert re.fullmatch(r"\S+==\S+( ; .*)?( \\\n    --hash=sha256:[0-9a-f]{64})+", entry), entry
    assert "://" not in CONSTRAINTS


def test_ci_installs_the_locked_tools(tmp_path: Path) -> None:
    fake = tmp_path / "python"
    fake.write_text('#!/bin/sh\necho "$@"\n')
    fake.chmod(0o755)
    (tmp_path / "constraints.txt").write_text(CONSTRAINTS)
    jobs = {"ci.yml": ("checks", "gate"), "publish.yml": ("build",)}
    for name, each in ((name, each) for name, found in jobs.items() for each in found):
        steps = workflow_steps.steps(f".github/workflows/{name}", each)
        (step,) = (step for step in steps if "pip install" in step.get("run", ""))
        env = {"PATH": os.pathsep.join([str(tmp_path), os.environ["PATH"]])}
        *words, nox, uv = workflow_steps.run(step, tmp_path, context={}, env=env).stdout.split()
        assert words == ["-m", "pip", "install"]
        for pin, tool in ((nox, "nox"), (uv, "uv")):
            assert re.search(rf"^{tool}==", pin)
            assert f"\n{pin} " in CONSTRAINTS


def test_the_action_installs_what_has_the_locked_hashes(tmp_path: Path) -> None:
    install = workflow_steps.steps("action.yml")[-2]
    fake = tmp_path / "python"  # makes an environment with itself and uv, which print their words
    fake.write_text(
        '#!/bin/sh\ncase "$2" in venv) mkdir -p "$3/bin"; cp "$0" "$3/bin/python";'
        ' cp "$0" "$3/bin/uv";; esac\necho "$@"\n'
    )
    fake.chmod(0o755)
    context = {"github.action_path": str(PROJECT), "steps.python.outputs.python-path": str(fake)}
    done = workflow_steps.run(install, tmp_path, context=context)
    assert done.returncode == 0, done.stderr
    venv = tmp_path / "mnist-tasks" / "venv"
    _, pip, uv, _ = done.stdout.splitlines()
    assert pip == f"-m pip install --quiet -r {venv / 'uv.txt'}"
    assert f" -c {PROJECT / 'constraints.txt'} " in uv
    wanted = (venv / "uv.txt").read_text()
    assert re.fullmatch(r"uv==[\d.]+( \\\n    --hash=sha256:[0-9a-f]{64})+\n", wanted)
    assert wanted in CONSTRAINTS


# Hooks


def git(folder: Path, *words: str) -> None:
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=m")
    subprocess.run(("git", *identity, *words), cwd=folder, check=True, capture_output=True)


def pre_commit(folder: Path, *words: str) -> Run:
    done = subprocess.run(
        (sys.executable, "-m", "pre_commit", *words),
        cwd=folder,
        env={**os.environ, "PRE_COMMIT_HOME": str(folder / ".git" / "pre-commit")},
        capture_output=True,
        text=True,
        check=False,
    )
    done.stdout = re.sub(r"\.{3,}", "...", done.stdout)
    return done


def test_this_projects_hooks_have_the_locked_versions() -> None:
    config = yaml.safe_load((PROJECT / ".pre-commit-config.yaml").read_text())
    hooks = [hook for repo in config["repos"] for hook in repo["hooks"]]
    for hook in hooks:
        (package,) = hook["additional_dependencies"]
        assert re.search(rf"^{re.escape(package)} ", CONSTRAINTS, re.MULTILINE), package


def test_pre_commit_accepts_what_is_written_for_it(tmp_path: Path) -> None:
    git(tmp_path, "init")
    (example,) = (text for kind, _, text in ci_files.examples() if kind == "pre-commit-config")
    (tmp_path / "example.yaml").write_text(example)
    configs = (PROJECT / ".pre-commit-config.yaml", "example.yaml")
    done = pre_commit(tmp_path, "validate-config", *map(str, configs))
    assert done.returncode == 0, done.stdout
    done = pre_commit(tmp_path, "validate-manifest", str(PROJECT / ".pre-commit-hooks.yaml"))
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_the_hook_vets_the_model_files_of_a_commit(tmp_path: Path) -> None:
    (hook,) = yaml.safe_load((PROJECT / ".pre-commit-hooks.yaml").read_text())
    program, _, rest = hook["entry"].partition(" ")
    assert program in SETTINGS["project"]["scripts"]
    # As the hook is, but with the package that is installed here.
    here = {"language": "system", "entry": f"{sys.executable} -m mnist_tasks {rest}"}
    config = {"repos": [{"repo": "local", "hooks": [{**hook, **here}]}]}
    (tmp_path / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    git(tmp_path, "init")
    (tmp_path / "notes.txt").write_text("not a model")
    folder = tmp_path / "models of mine"
    folder.mkdir()
    (folder / "good.h5").write_bytes(handmade.write_h5(handmade.small()))
    git(tmp_path, "add", ".")
    done = pre_commit(tmp_path, "run")
    assert done.returncode == 0, done.stdout
    assert "vet model files...Passed" in done.stdout

    (folder / "bad.keras").write_bytes(b"not a model")
    git(tmp_path, "add", ".")
    done = pre_commit(tmp_path, "run")
    assert done.returncode == 1
    assert "bad.keras" in done.stdout
    assert "exit code: 3" in done.stdout


# Steps of workflows


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The command line as a program, with small data where the action caches its own."""
    path = tmp_path / "bin" / "mnist-tasks"
    path.parent.mkdir()
    data = tmp_path / "mnist-tasks" / "data"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{SMALL_CLI}" "{data}" "$@"\n')
    path.chmod(0o755)
    return path


@pytest.mark.slow
def test_the_action_is_the_gate(program: Path, tmp_path: Path) -> None:
    *_, check = workflow_steps.steps("action.yml")
    (tmp_path / "mnist-tasks").mkdir()
    injection = '$(touch "$RUNNER_TEMP/injected") `touch injected`; touch injected.h5'
    (tmp_path / injection.replace("/", "_")).write_bytes(b"")
    (tmp_path / "-model.h5").write_bytes(handmade.write_h5(handmade.small()))
    (tmp_path / "pass.toml").write_text("accuracy_above = 0.0\n")
    (tmp_path / "fail.toml").write_text("accuracy_above = 0.0\nparameters_below = 7\n")
    verdicts: set[str] = set()
    codes = {"pass.toml": 0, "fail.toml": 1, "--help": 3, injection: 3}
    for contract, code in codes.items():
        summary = tmp_path / "summary.md"
        context = {
            "steps.install.outputs.program": str(program),
            "inputs.model": "./-model.h5",
            "inputs.contract": contract,
        }
        env = {"GITHUB_STEP_SUMMARY": str(summary)}
        done = workflow_steps.run(check, tmp_path, context=context, env=env)
        assert done.returncode == code, done.stderr
        if code in {0, 1}:
            verdict = Path(context["steps.check.outputs.markdown"]).read_text()
            assert verdict in summary.read_text()
            assert "<testsuites" in Path(context["steps.check.outputs.junit"]).read_text()
            assert ("failed" in verdict) == bool(code)
        verdicts.add(context["steps.check.outputs.junit"])
    assert len(verdicts) == len(codes)  # none is that of another use
    model = {**context, "inputs.model": injection, "inputs.contract": "pass.toml"}
    assert workflow_steps.run(check, tmp_path, context=model).returncode == 3
    assert [path.name for path in tmp_path.rglob("*injected") if "touch" not in path.name] == []


def test_only_the_tag_of_the_version_is_published(tmp_path: Path) -> None:
    (step,) = (
        each
        for each in workflow_steps.steps(".github/workflows/publish.yml", "build")
        if "tag" in each.get("name", "")
    )
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "mnist_tasks-1.2.3-py3-none-any.whl").touch()
    for tag, code in {"v1.2.3": 0, "v1.2.4": 1, "v1.2": 1}.items():
        done = workflow_steps.run(step, tmp_path, context={}, env={"GITHUB_REF_NAME": tag})
        assert done.returncode == code
        assert ("mnist_tasks-1.2.3" in done.stdout) == bool(code)


GH = """#!/bin/sh
printf '%s\\n' "$*" >> calls
case "$*" in *--paginate*) cat ids ;; esac
"""


@pytest.mark.parametrize("ids", ["", "11\n", "11\n22\n"])
def test_there_is_one_comment(ids: str, tmp_path: Path) -> None:
    *_, step = workflow_steps.steps(".github/workflows/ci.yml", "comment")
    (tmp_path / "gh").write_text(GH)
    (tmp_path / "gh").chmod(0o755)
    (tmp_path / "ids").write_text(ids)
    (tmp_path / "verdict.md").write_text("# Passed\n")
    context = {
        "github.token": "secret",
        "github.repository": "a/b",
        "github.event.pull_request.number": "7",
    }
    env = {"PATH": os.pathsep.join([str(tmp_path), os.environ["PATH"]])}
    done = workflow_steps.run(step, tmp_path, context=context, env=env)
    assert done.returncode == 0, done.stderr
    mark, *verdict = (tmp_path / "comment.md").read_text().splitlines()
    assert verdict == ["# Passed"]
    listed, written = (tmp_path / "calls").read_text().splitlines()
    assert mark in listed
    assert "repos/a/b/issues/7/comments" in listed
    if ids:
        assert "PATCH repos/a/b/issues/comments/11 " in written
    else:
        assert "POST repos/a/b/issues/7/comments " in written


@pytest.mark.parametrize("name", ["ci.yml", "publish.yml"])
def test_no_workflow_runs_foreign_code_with_rights(name: str) -> None:
    workflow = yaml.safe_load((PROJECT / ".github" / "workflows" / name).read_text())
    triggers = workflow[True]  # what YAML makes of `on`
    assert set(triggers) <= {"push", "pull_request"}
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        if "write" in job["permissions"].values():
            uses = [step.get("uses", "") for step in job["steps"]]
            assert not any("checkout" in each for each in uses)
        else:
            assert job["permissions"] == {"contents": "read"}


def test_pip_gets_the_same_versions_without_hashes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Session:
        venv_backend = "virtualenv"
        installed: tuple[str, ...] = ()

        def create_tmp(self) -> str:
            return str(tmp_path / "tmp")

        def install(self, *words: str) -> None:
            self.installed = words

    session = Session()
    monkeypatch.chdir(PROJECT)
    noxfile.install(session, "nox")  # type: ignore[arg-type]
    _, path, wanted = session.installed
    assert wanted == "nox"
    pins = [line for line in Path(path).read_text().splitlines() if not line.startswith("#")]
    assert len(pins) == len(re.findall(r"^\S+==", CONSTRAINTS, re.MULTILINE))
    assert all(Requirement(pin) for pin in pins)
