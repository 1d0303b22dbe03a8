"""The JSON document of ``--json``: one envelope for every command and every way it can end.

Nothing but the standard library is needed for an error, which may be that another one is missing.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict
from typing import Any

from mnist_tasks.errors import Failure

#: Increases when a field, here or in a result, is removed or changes its meaning; new fields and
#: reasons leave it as it is.
SCHEMA = 1


_TEXT = {"-h", "--help", "--version"}  # options that print a text in any case


def is_wanted(words: Sequence[str]) -> bool:
    """Whether a command line asks for JSON, even if the rest of it can't be read."""
    options = words[: words.index("--")] if "--" in words else words
    return "--json" in options and _TEXT.isdisjoint(options)


def of_result(command: str | None, exit_code: int, result: Any) -> str:
    """Return the document of a command that has a result, such as a contract that failed."""
    from mnist_tasks import json_text

    document = _head(command, exit_code) | {"result": json_text.complete(result)}
    return json_text.to_json(document).decode()


def of_error(command: str | None, exit_code: int, error: Failure) -> str:
    """Return the document of a command that has none; the command line may not name one."""
    return json.dumps(_head(command, exit_code) | {"error": asdict(error)}, indent=2) + "\n"


def _head(command: str | None, exit_code: int) -> dict[str, Any]:
    return {"schema": SCHEMA, "command": command, "exit_code": exit_code}


@contextmanager
def diverted_stdout() -> Iterator[None]:
    """Send to standard error what is written to standard output in the block.

    The user's own code may print, and so may the processes that it starts. Both descriptors must be
    open, as they are within `streams.reliable`.
    """
    own = os.dup(1)
    os.dup2(2, 1)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(own, 1)
        os.close(own)


def in_encoding(text: str, encoding: str | None) -> str:
    """Return a document as a stream's encoding can represent it: in ASCII, unless it is UTF-8."""
    if (encoding or "").lower().replace("-", "") == "utf8":
        return text
    return re.sub(r"[^\x00-\x7f]+", lambda found: json.dumps(found[0])[1:-1], text)
