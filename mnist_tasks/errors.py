"""What can go wrong, and the exit code that each kind of failure has.

=====  ==================================================================================
code   meaning
=====  ==================================================================================
0      done, and the contract holds
1      the contract does not hold
2      wrong usage: an option or a setting that can't be
3      input refused: a data, model or record file that is missing, corrupt or unsafe
4      the environment can't: no network, no GPU where one was required, a missing library,
       a worker that was lost, a folder that can't be written, a time-out
70     a bug in this program: please report it with its traceback
130    stopped by Ctrl-C
=====  ==================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

CONTRACT_FAILED = 1
BUG = 70
INTERRUPTED = 130


class MnistTasksError(Exception):
    """A failure that the user can understand and mend.

    Parameters
    ----------
    subject
        What was looked at: a file, an option, a device.
    expected, found
        What should have been there, and what was.
    remedy
        What the user can do about it.
    """

    exit_code: ClassVar[int]
    title: ClassVar[str]

    def __init__(
        self, subject: str, *, found: str, expected: str | None = None, remedy: str | None = None
    ) -> None:
        super().__init__(f"{subject}: {found}")
        self.subject = subject
        self.expected = expected
        self.found = found
        self.remedy = remedy

    def as_dict(self) -> dict[str, str | int | None]:
        """Return the parts of the error, for JSON."""
        return {
            "exit_code": self.exit_code,
            "title": self.title,
            "subject": self.subject,
            "expected": self.expected,
            "found": self.found,
            "remedy": self.remedy,
        }


class UsageError(MnistTasksError):
    """An option or a setting that can't be."""

    exit_code = 2
    title = "Wrong usage"


class InputRefusedError(MnistTasksError):
    """A data, model or record file that is missing, corrupt or unsafe."""

    exit_code = 3
    title = "Input refused"


class EnvironmentProblemError(MnistTasksError):
    """The machine can't do what was asked: network, device, library, disk, time."""

    exit_code = 4
    title = "The environment can't"


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why there is no verdict, in the parts of a `MnistTasksError`."""

    title: str
    subject: str
    found: str
    expected: str | None = None
    remedy: str | None = None

    @classmethod
    def of(cls, error: MnistTasksError) -> Failure:
        """Return an error as what can be sent and written."""
        return cls(
            title=error.title,
            subject=error.subject,
            expected=error.expected,
            found=error.found,
            remedy=error.remedy,
        )


def printable(text: str, *, limit: int = 200) -> str:
    """Make text from a file, a server or another program fit to be shown.

    Control characters (terminal escapes among them) become ``?``, runs of blanks one blank, and
    what is longer than `limit` characters is cut.
    """
    line = " ".join(text.split())
    shown = "".join(character if character.isprintable() else "?" for character in line)
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"
