"""Run the shell steps of a workflow or an action as GitHub's runner does, in a folder.

``python -m tests.workflow_steps FOLDER model=MODEL contract=CONTRACT`` runs those of the action,
which install the package and check the model.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.ci_files import PROJECT

_EXPRESSION = re.compile(r"\$\{\{ *(.*?) *\}\}")


def steps(file: str, job: str = "") -> list[dict[str, Any]]:
    """Return the steps of an action, or those of a workflow's job."""
    document = yaml.safe_load((PROJECT / file).read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = (document["jobs"][job] if job else document["runs"])["steps"]
    return found


def run(
    step: Mapping[str, Any],
    folder: Path,
    *,
    context: dict[str, str],
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run the shell of a step.

    Parameters
    ----------
    context
        The values of the expressions, such as ``inputs.model``. What the step writes to
        ``$GITHUB_OUTPUT`` is added.
    env
        Variables besides those of this process and of the step.
    """
    assert step["shell"] == "bash"
    output = folder / "output"
    output.touch()
    given = {
        name: _EXPRESSION.sub(lambda found: context[found[1]], text)
        for name, text in step.get("env", {}).items()
    }
    own = {"GITHUB_OUTPUT": str(output), "RUNNER_TEMP": str(folder)}
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=folder,
        env={**os.environ, **own, **given, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    for line in output.read_text(encoding="utf-8").splitlines():
        name, _, text = line.partition("=")
        context[f"steps.{step.get('id')}.outputs.{name}"] = text
    return done


def main() -> int:
    """Run the action in a folder, and return the exit code of its last step."""
    folder = Path(sys.argv[1]).resolve()
    context = {"github.action_path": str(PROJECT), "steps.python.outputs.python-path": "python3"}
    context |= {f"inputs.{word.partition('=')[0]}": word.partition("=")[2] for word in sys.argv[2:]}
    code = 0
    for step in steps("action.yml"):
        if not code and "run" in step:
            done = run(step, folder, context=context)
            sys.stdout.write(done.stdout)
            sys.stderr.write(done.stderr)
            code = done.returncode
    return code


if __name__ == "__main__":
    sys.exit(main())
