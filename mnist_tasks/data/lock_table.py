"""Write the lock of a data set into ``pyproject.toml``, and keep the rest of the file as it is."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

import msgspec

from mnist_tasks import disk, locks, project, toml_files
from mnist_tasks.data.lock import ARRAYS, Lock
from mnist_tasks.data.project_table import ProjectTable
from mnist_tasks.errors import UsageError

BYTE_ORDER_MARK = "\ufeff"


def write(own: ProjectTable, lock: Lock) -> None:
    """Write the table ``lock`` of a data set, in place of the one that is there.

    Raises
    ------
    UsageError
        The file has changed meanwhile, or its tables are written in a way that can't be extended.
    EnvironmentProblemError
        The file can't be written.
    """
    file = own.project.file.resolve()  # a symbolic link stays one
    writable = disk.writable(file.parent, remedy="Make the file and its folder writable.")
    with writable, locks.alone(file.parent):  # another process may write the lock of another one
        text = disk.read_regular(file, limit=toml_files.LARGEST).decode()
        updated = replace(text, own.name, lock)
        if updated is None:
            raise UsageError(
                own.subject,
                expected=f"a table with the header [{own.key}]",
                found="one that is written in another way, which can't be extended",
                remedy=f"Write it with that header and, if it has a lock, delete that. Then rerun "
                f"`{own.origin.lock_command}`.",
            )
        disk.write(file, updated.encode())


def replace(text: str, name: str, lock: Lock) -> str | None:
    """Return the text of a ``pyproject.toml`` with a lock.

    The lock is written at the place of the old one, or at the end. ``None``: the result would not
    be the same document with another lock.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    block = "".join(line + newline for line in _lines(name, lock))
    lines = re.split(r"(?<=\n)", text)
    start = next((index for index, line in enumerate(lines) if _is_header(line, name)), None)
    if start is None:
        gap = "" if not text else newline if text.endswith("\n") else 2 * newline
        updated = text + gap + block
    else:
        end = _end(lines, start)
        last = lines[end - 1]
        block = block if last.endswith("\n") else block.removesuffix(newline)
        updated = "".join([*lines[:start], block, *lines[end:]])
    return updated if _is_same(text, updated, name, lock) else None


def _lines(name: str, lock: Lock) -> list[str]:
    classes = ", ".join(json.dumps(each, ensure_ascii=False) for each in lock.classes)
    files = [
        f'{key} = {{ shape = {list(file.shape)}, sha256 = "{file.sha256}" }}'
        for key, file in zip(ARRAYS, lock.files, strict=True)
    ]
    header = f"[{project.PREFIX}datasets.{name}.lock]"
    comment = f"# Written by `mnist-tasks fetch --dataset {name} --lock`."
    return [header, comment, f"classes = [{classes}]", *files]


def _is_header(line: str, name: str) -> bool:
    if not line.lstrip().startswith("["):
        return False
    try:
        return tomllib.loads(line) == _nested(name, {})
    except ValueError:
        return False


def _end(lines: list[str], start: int) -> int:
    """Return the index after the last line of a table; comments may belong to the next one."""
    end = start + 1
    while end < len(lines) and lines[end].strip() and not lines[end].lstrip().startswith("["):
        end += 1
    while end > start + 1 and lines[end - 1].lstrip().startswith("#"):
        end -= 1
    return end


def _is_same(text: str, updated: str, name: str, lock: Lock) -> bool:
    """Whether two documents are the same but for the lock."""
    try:
        before = tomllib.loads(text.removeprefix(BYTE_ORDER_MARK))
        after = tomllib.loads(updated.removeprefix(BYTE_ORDER_MARK))
        table: Any = before
        for key in (*project.TABLE, "datasets", name):
            table = table[key]
        table["lock"] = msgspec.json.decode(msgspec.json.encode(lock))
    except (ValueError, LookupError, TypeError):
        return False
    return bool(before == after)


def _nested(name: str, lock: dict[str, Any]) -> dict[str, Any]:
    tool, own = project.TABLE
    return {tool: {own: {"datasets": {name: {"lock": lock}}}}}
