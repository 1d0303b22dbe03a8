"""The data of a sweep's report, and its words, for the page, the tables and Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mnist_tasks.look_counts import Looks
from mnist_tasks.records import RunRecord
from mnist_tasks.reporting import formatting, ranking_rows, run_text, side_by_side
from mnist_tasks.reporting.figures import run_curves
from mnist_tasks.reporting.figures.run_curves import Curves
from mnist_tasks.reporting.run_text import KeyFigure
from mnist_tasks.sweeping.ranking import Rank
from mnist_tasks.sweeping.stored_sweep import StoredSweep

UNFINISHED = "of a sweep that is not finished"
MOST_CURVES = 5  # settings whose curves are drawn over one another


@dataclass(frozen=True, kw_only=True)
class SweepView:
    """A sweep, as its report shows it.

    Attributes
    ----------
    looks
        How many models were compared on the test images; ``None`` of validation images.
    """

    sweep: StoredSweep
    looks: Looks | None = None

    @property
    def folder(self) -> Path:
        """The folder of the sweep."""
        return self.sweep.folder

    @property
    def best(self) -> Rank | None:
        """The setting with the highest mean accuracy; ``None`` if no run is done."""
        return self.sweep.ranking[0] if self.sweep.ranking else None

    @property
    def headline(self) -> str:
        """Which setting is the first, as a sentence."""
        if self.best is None:
            return "No run succeeded."
        if len(self.sweep.ranking) == 1:
            runs = formatting.plural(self.best.runs, "seed")
            return f"{ranking_rows.mean(self.best.accuracy)} over {runs}."
        return f"{self.best.name} ranks first."

    @property
    def lead(self) -> str:
        """What was trained, and on which images it was evaluated."""
        first = self.sweep.records[0] if self.sweep.records else None
        if first is None:
            return f"{formatting.plural(len(self.sweep.failed), 'run')} failed."
        settings = formatting.plural(len(self.sweep.ranking), "setting")
        seeds = formatting.plural(len({record.seed for record in self.sweep.records}), "seed")
        done = formatting.plural(len(self.sweep.records), "run")
        return (
            f"{settings}, {seeds}, {done}: trained on {run_text.images(first)} and evaluated on "
            f"{self.evaluated_on}."
        )

    @property
    def evaluated_on(self) -> str:
        """The images that the runs were evaluated on."""
        images = f"{self.sweep.images:,}"
        if self.sweep.evaluated_on == "test":
            return f"the {images} test images"
        return f"the last {images} training images, which no run was trained on"

    @property
    def caution(self) -> str:
        """What the ranking shows and what not; empty for a single setting."""
        best, *others = self.sweep.ranking or (None,)
        if best is None or not others:
            return ""
        if best.accuracy.low is None:
            return "The first setting has a single run: it may be first by chance."
        low = best.accuracy.low
        close = [each for each in others if each.accuracy.high is None or each.accuracy.high >= low]
        if not close:
            shown = "The 95% interval of the first setting overlaps that of no other."
        else:
            those = (
                f"that of {close[0].name}"
                if len(close) == 1
                else f"those of the next {len(close)}"
                if close == others[: len(close)]
                else f"those of {len(close)} others"
            )
            shown = (
                f"The 95% interval of the first setting overlaps {those}: the sweep does not show "
                "that it is better."
            )
        if self.sweep.evaluated_on == "test":
            return shown
        return (
            f"{shown} The best of several is partly the luckiest: evaluate it with "
            "`mnist-tasks sweep --test` before you rely on its accuracy."
        )

    @property
    def key_figures(self) -> tuple[KeyFigure, ...]:
        """The most important numbers of the sweep."""
        sweep, best = self.sweep, self.best
        planned = UNFINISHED
        if sweep.planned is not None:
            planned = f"of {formatting.plural(sweep.planned, 'run')}"
        failed = f"; {len(sweep.failed):,} failed" if sweep.failed else ""
        runs = KeyFigure("Done", formatting.count(len(sweep.records)), planned + failed)
        if best is None:
            return (runs,)
        of = "" if len(sweep.ranking) == 1 else ", of the first"
        seconds = formatting.seconds(best.fit_seconds)
        spread = "one seed"
        if best.accuracy.deviation is not None:
            interval = ranking_rows.interval(best.accuracy)
            spread = f"± {100 * best.accuracy.deviation:.2f} points; 95% interval {interval}"
        return (
            KeyFigure("Mean accuracy", formatting.percent(best.accuracy.mean), f"{spread}{of}"),
            KeyFigure("Settings", formatting.count(len(sweep.ranking)), "ranked by mean accuracy"),
            runs,
            KeyFigure("Training", f"{seconds} s", f"median of the fits{of}"),
        )

    @cached_property
    def curves(self) -> tuple[Curves, ...]:
        """The mean curves of the first settings."""
        return tuple(
            run_curves.mean(self.sweep.by_name[rank.name], str(place), rank.name)
            for place, rank in enumerate(self.sweep.ranking[:MOST_CURVES], start=1)
        )

    @cached_property
    def common(self) -> Mapping[str, str]:
        """The settings, machine and versions that are the same in all runs."""
        if not self.sweep.records:
            return {}
        first, *others = map(side_by_side.provenance, self.sweep.records)
        return {
            name: value
            for name, value in first.items()
            if all(other.get(name) == value for other in others)
        }

    @property
    def ranked_runs(self) -> list[tuple[Rank, RunRecord]]:
        """All runs, in the order of the ranking."""
        return [
            (rank, record)
            for rank in self.sweep.ranking
            for record in self.sweep.by_name[rank.name]
        ]
