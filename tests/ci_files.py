"""Lint what only CI runs: workflows, the action, and the examples of them in the docs.

Run it with ``python -m tests.ci_files``. It uses no network.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PROJECT = Path(__file__).parents[1]
WORKFLOWS = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))
STARTER = PROJECT / "mnist_tasks" / "starter" / "files" / "ci.yml"
PAGES = sorted(PROJECT.glob("*.md")) + sorted((PROJECT / "docs").glob("*.md"))
_BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def examples() -> Iterator[tuple[str, str, str]]:
    """Yield the kind of each YAML file in the docs, a name for it, and its text."""
    for page in PAGES:
        for number, text in enumerate(_BLOCK.findall(page.read_text(encoding="utf-8")), start=1):
            yield _kind(text), f"{page.stem}-{number}.yml", text


def _kind(text: str) -> str:
    if re.search(r"^jobs:", text, re.MULTILINE):
        return "github-workflows"
    if re.search(r"^repos:", text, re.MULTILINE):
        return "pre-commit-config"
    return "gitlab-ci"


def main() -> int:
    """Run each linter on what it knows; return how many of them failed."""
    files = {
        "github-workflows": [*WORKFLOWS, STARTER],
        "github-actions": [PROJECT / "action.yml"],
        "dependabot": [PROJECT / ".github" / "dependabot.yml"],
        "gitlab-ci": [],
    }
    with tempfile.TemporaryDirectory() as folder:
        for kind, name, text in examples():
            if kind in files:
                path = Path(folder, name)
                path.write_text(text, encoding="utf-8")
                files[kind].append(path)
        workflows = files["github-workflows"]
        commands: list[tuple[str | Path, ...]] = [
            ("check-jsonschema", "--builtin-schema", f"vendor.{kind}", *paths)
            for kind, paths in files.items()
        ]
        commands.append(("actionlint", *workflows))
        # The pedantic persona also wants a name, a limit of time and the least permissions.
        settings = PROJECT / ".github" / "zizmor.yml"
        zizmor = ("zizmor", "--offline", "--quiet", "--config", settings)
        commands.append((*zizmor, "--persona", "pedantic", PROJECT))
        commands.append((*zizmor, *(each for each in workflows if each not in WORKFLOWS)))
        with ThreadPoolExecutor() as pool:
            return sum(pool.map(_fails, commands))


def _fails(command: Sequence[str | Path]) -> bool:
    words = [*map(str, command)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=PROJECT)
    if done.returncode:
        sys.stderr.write(f"{words[0]} {words[-1]}\n{done.stdout}{done.stderr}\n")
    return done.returncode != 0


if __name__ == "__main__":
    sys.exit(main())
