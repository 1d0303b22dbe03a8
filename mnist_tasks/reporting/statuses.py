"""How each status reads and looks, in every output: a new status is one entry here."""

from __future__ import annotations

from dataclasses import dataclass

UNCHECKED = "unchecked"
_CHECK_MARK = "M7 12.6l3.4 3.4L17 8.8"
_CROSS = "M8.2 8.2l7.6 7.6M15.8 8.2l-7.6 7.6"
_DASH = "M7.5 12h9"


@dataclass(frozen=True, kw_only=True)
class Appearance:
    """How one status is shown.

    Attributes
    ----------
    sentence
        The sentence for a run with this status; empty for a status that no run has.
    style
        The style in the terminal, as rich names it.
    emoji
        The mark in Markdown.
    tone
        The class on the page: ``good`` or ``bad``; none if there is too little evidence.
    icon
        The icon on the page: an SVG path in a 24 x 24 box.
    """

    sentence: str = ""
    style: str
    emoji: str
    tone: str = ""
    icon: str


STATUSES = {
    "passed": Appearance(
        sentence="The contract passed", style="green", emoji="✅", tone="good", icon=_CHECK_MARK
    ),
    "failed": Appearance(
        sentence="The contract did not pass", style="bold red", emoji="❌", tone="bad", icon=_CROSS
    ),
    "inconclusive": Appearance(
        sentence="The contract is inconclusive", style="bold yellow", emoji="⚠️", icon=_DASH
    ),
    "not measured": Appearance(style="bold red", emoji="⚠️", tone="bad", icon=_CROSS),
    "error": Appearance(style="bold red", emoji="❌", tone="bad", icon=_CROSS),
    UNCHECKED: Appearance(sentence="Not checked yet", style="yellow", emoji="⚠️", icon=_DASH),
}
OF_RUNS = tuple(name for name, appearance in STATUSES.items() if appearance.sentence)
