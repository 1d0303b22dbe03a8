"""Errors that a user can fix, and the exit codes of the command line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

CONTRACT_FAILED = 1
BUG = 70
INTERRUPTED = 130
TERMINATED = 143
LONGEST_LINE = 1_000  # characters of an error; a path can have 4,096
EXIT_CODES = (
    (0, "done, and the contract passed"),
    (CONTRACT_FAILED, "the contract did not pass, or a run was not reproduced"),
    (2, "wrong usage"),
    (3, "input refused"),
    (4, "environment problem"),
    (BUG, "bug"),
    (INTERRUPTED, "interrupted"),
    (TERMINATED, "terminated"),
)


#: Why a command ended with an error: stable words for programs. docs/cli.md says what each means.
Reason = Literal[
    "wrong-usage",
    "would-overwrite",
    "input-refused",
    "file-missing",
    "model-can-run-code",
    "model-unsupported",
    "model-unreadable",
    "no-model-files",
    "picture-unreadable",
    "picture-blank",
    "several-digits",
    "record-invalid",
    "data-missing",
    "data-changed",
    "code-changed",
    "not-repeatable",
    "other-dataset",
    "network-code-failed",
    "network-input-shape",
    "network-output-shape",
    "network-output-logits",
    "export-failed",
    "export-differs",
    "environment-problem",
    "certificates-unusable",
    "isolation-unavailable",
    "library-broken",
    "no-home-folder",
    "process-not-started",
    "process-killed",
    "process-died",
    "resource-limit",
    "temporary-folder-unusable",
    "time-limit",
    "internal-error",
    "interrupted",
    "terminated",
]


class MnistTasksError(Exception):
    """An error that the user can understand and fix.

    Its texts can quote a path, a file or an address: they are made safe to display, as `redact` and
    `printable` do.

    Parameters
    ----------
    subject
        What was examined: a file, an option, a device.
    expected, found
        What was expected, and what was found.
    remedy
        What the user can do.
    reason
        A stable word for programs, such as ``file-missing``; by default that of the class.
    """

    exit_code: ClassVar[int]
    title: ClassVar[str]
    reason: Reason

    def __init__(
        self,
        subject: str,
        *,
        found: str,
        expected: str | None = None,
        remedy: str | None = None,
        reason: Reason | None = None,
    ) -> None:
        self.subject = printable(redact(subject), limit=LONGEST_LINE)
        self.expected = None if expected is None else _printable_lines(expected)
        self.found = _printable_lines(found)
        self.remedy = None if remedy is None else _printable_lines(remedy)
        super().__init__(f"{self.subject}: {self.found}")
        if reason is not None:
            self.reason = reason

    def about(self, subject: str, *, found: str | None = None) -> Self:
        """Return the same error with another subject, such as the file of an invalid key.

        `found` replaces what was found; by default that stays.
        """
        return type(self)(
            subject,
            expected=self.expected,
            found=self.found if found is None else found,
            remedy=self.remedy,
            reason=self.reason,
        )


class UsageError(MnistTasksError):
    """An invalid option or setting."""

    exit_code = 2
    title = "Wrong usage"
    reason: Reason = "wrong-usage"


class InputRefusedError(MnistTasksError):
    """A data, model or record file that is missing, corrupt, unsupported or unsafe."""

    exit_code = 3
    title = "Input refused"
    reason: Reason = "input-refused"


class EnvironmentProblemError(MnistTasksError):
    """A problem with the machine: its network, devices, libraries or disk, or a time limit."""

    exit_code = 4
    title = "Environment problem"
    reason: Reason = "environment-problem"


@dataclass(frozen=True, kw_only=True)
class Failure:
    """The parts of an error, as they are sent to another process and written as JSON."""

    title: str
    subject: str
    expected: str | None = None
    found: str
    remedy: str | None = None
    reason: Reason | None = None

    @classmethod
    def of(cls, error: MnistTasksError) -> Failure:
        """Return the parts of an error."""
        return cls(
            title=error.title,
            subject=error.subject,
            expected=error.expected,
            found=error.found,
            remedy=error.remedy,
            reason=error.reason,
        )


def interrupted(subject: str = "mnist-tasks", found: str = "") -> Failure:
    """Return the parts of Ctrl-C, which by default leaves nothing half-written."""
    found = found or "Every file on disk is complete."
    return Failure(title="Interrupted", subject=subject, found=found, reason="interrupted")


def rows(error: MnistTasksError | Failure) -> dict[str, str]:
    """Return the parts of an error, by their names in its display."""
    parts = {
        "where": error.subject,
        "expected": error.expected,
        "found": error.found,
        "what to do": error.remedy,
    }
    return {name: text for name, text in parts.items() if text}


def redact(text: str) -> str:
    """Return text without the user names, passwords and queries of the addresses in it.

    A query can be a signature that gives access. A password that contains ``/`` or an address
    without its scheme is a mistake, but no less secret.

    >>> redact("https://user:secret@example.com/mnist.npz?key=secret: not found")
    'https://***@example.com/mnist.npz?*** not found'
    """
    text = _PASSWORD.sub("***@", text)
    text = _USER.sub("//***@", text)
    return _QUERY.sub(r"\1?***", text)


# The number of a port is no password.
_PASSWORD = re.compile(
    r"""(?<![^\s/'"(=])[\w.%+~-]+:(?!//|\d*/)[^\s'"`<>|{}\[\]]*@(?=[\w\[])""", re.ASCII
)
_USER = re.compile(r"//[^/\s]*@")
# Of an address, or of a part of one, with a name and a value.
_QUERY = re.compile(r"""((?:\b\w\w+:/+[^\s?#"']*)|(?=\?[^\s?]*=))[?#][^\s"')]+""")


def _printable_lines(text: str) -> str:
    return "\n".join(printable(line, limit=LONGEST_LINE) for line in redact(text).split("\n"))


def printable(text: str, *, limit: int = 200) -> str:
    """Make text from a file, a server or another program safe to display.

    Control characters, such as terminal escapes, become ``?``; runs of whitespace become a space;
    text longer than `limit` characters is cut.
    """
    shown = without_controls(" ".join(text.split()))
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def on_one_line(text: str) -> str:
    """Return all of a text, such as a path, with ``?`` for control characters and line breaks."""
    return without_controls(text).replace("\n", "?")


def without_controls(text: str) -> str:
    """Return lines of text with ``?`` for each control character, such as a terminal escape."""
    if text.isprintable():  # as nearly all text is, of which a report has a lot
        return text
    return "".join(each if each.isprintable() or each == "\n" else "?" for each in text)
