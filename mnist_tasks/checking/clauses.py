"""Hold what was found against the contract: numbers in, verdict out; nothing is read here.

Every clause is judged and reported, whatever became of the one before it. A comparison with NaN is
false, so that NaN never holds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from mnist_tasks.checking import paired_test
from mnist_tasks.checking.contract import OUTPUT_SHAPE
from mnist_tasks.checking.proportions import Share, not_measured
from mnist_tasks.verdict import Clause, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mnist_tasks.checking.contract import Contract
    from mnist_tasks.checking.paired_test import PairedCounts
    from mnist_tasks.records import Metrics, Shape

TEST = "test"
_WORST_FIRST = ("failed", "not measured", "inconclusive", "passed")


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What was found out about a model.

    Attributes
    ----------
    bytes
        Of its file.
    layers
        The class of each layer.
    input_shapes, output_shapes
        One for each input and output of the model; ``None`` stands for the batch.
    metrics
        By set of images: `TEST`, and the perturbed ones by the names that the contract has for
        them. Empty where there are no predictions, for the reason in `unpredicted`.
    latency
        Seconds for one image, one for each measured call.
    paired
        How the model fared against the baseline.
    """

    parameters: int
    bytes: int
    layers: tuple[str, ...]
    input_shapes: tuple[Shape, ...]
    output_shapes: tuple[Shape, ...]
    metrics: Mapping[str, Metrics] = field(default_factory=dict)
    unpredicted: str | None = None
    latency: tuple[float, ...] = ()
    paired: PairedCounts | None = None

    @property
    def reason(self) -> str:
        """Why there are no predictions."""
        return self.unpredicted or "no predictions"


def evaluate(contract: Contract, facts: Facts) -> Verdict:
    """Hold the facts against each clause: the default four, then those that are asked for."""
    return Verdict(clauses=(*_default(contract, facts), *_more(contract, facts)))


def _default(contract: Contract, facts: Facts) -> Iterator[Clause]:
    yield _below("parameters", contract.parameters_below, facts.parameters, unit="parameters")
    yield _shape("input shape", (None, *contract.input_shape), facts.input_shapes)
    yield _shape("output shape", OUTPUT_SHAPE, facts.output_shapes)
    share = Share(bound=contract.accuracy_above, confidence=contract.confidence)
    yield _accuracy("test accuracy", share, TEST, facts)


def _more(contract: Contract, facts: Facts) -> Iterator[Clause]:
    confidence = contract.confidence
    if (bound := contract.accuracy_below) is not None:
        share = Share(bound=bound, is_ceiling=True, confidence=confidence)
        yield _accuracy("accuracy ceiling", share, TEST, facts)
    if (bound := contract.worst_recall_above) is not None:
        yield _worst_recall(Share(bound=bound, confidence=confidence), facts)
    for name, asked in contract.perturbed.asked.items() if contract.perturbed else ():
        share = Share(bound=asked.accuracy_above, confidence=confidence)
        yield _accuracy(asked.title, share, name, facts)
    if (bound := contract.calibration_error_below) is not None:
        yield _calibration(bound, facts)
    if contract.baseline is not None:
        yield paired_test.judge(
            contract.baseline, facts.paired, confidence=confidence, reason=facts.reason
        )
    if contract.bytes_below is not None:
        yield _below("file size", contract.bytes_below, facts.bytes, unit="bytes", shown=" bytes")
    if (bound := contract.latency_below_ms) is not None:
        yield _latency(bound, facts)
    if contract.required_layers:
        yield _required_layers(contract.required_layers, facts.layers)


def _accuracy(name: str, share: Share, images: str, facts: Facts) -> Clause:
    metrics = facts.metrics.get(images)
    if metrics is None or not metrics.images:
        return not_measured(name, share.words, facts.reason)
    return share.judge(name, correct=metrics.correct, images=metrics.images)


def _worst_recall(share: Share, facts: Facts) -> Clause:
    """Judge each digit, and report the lowest recall among those of the worst verdict.

    LabeledImages differ in how many images they have, and so in how sure their recall is.
    """
    name = "worst recall"
    metrics = facts.metrics.get(TEST)
    if metrics is None:
        return not_measured(name, share.words, facts.reason)
    clauses = [
        share.judge(name, correct=row[digit], images=sum(row), note=f" (digit {digit})")
        if sum(row)
        else not_measured(name, share.words, f"there is no image of the digit {digit}")
        for digit, row in enumerate(metrics.confusion)
    ]
    return min(clauses, key=lambda each: (_WORST_FIRST.index(each.status), each.found_value or 0))


def _calibration(bound: float, facts: Facts) -> Clause:
    name, words = "calibration error", f"< {bound:g}"
    metrics = facts.metrics.get(TEST)
    if metrics is None or metrics.calibration_error is None:
        return not_measured(name, words, facts.reason)
    return _compare(
        name, words, bound, f"{metrics.calibration_error:.4f}", metrics.calibration_error, "share"
    )


def _latency(bound: float, facts: Facts) -> Clause:
    name, words = "latency", f"< {bound:g} ms"
    if not facts.latency:
        return not_measured(name, words, facts.reason)
    milliseconds = 1000 * median(facts.latency)
    found = f"{milliseconds:.3g} ms (median of {len(facts.latency)})"
    return _compare(name, words, bound, found, milliseconds, "ms")


def _below(name: str, bound: int, found: int, *, unit: str, shown: str = "") -> Clause:
    return _compare(name, f"< {bound:,}{shown}", bound, f"{found:,}{shown}", found, unit)


def _compare(
    name: str, bound: str, bound_value: float, found: str, found_value: float, unit: str
) -> Clause:
    return Clause(
        name=name,
        bound=bound,
        found=found,
        status="passed" if found_value < bound_value else "failed",
        bound_value=bound_value,
        found_value=found_value,
        unit=unit,
    )


def _shape(name: str, bound: Shape, found: tuple[Shape, ...]) -> Clause:
    return Clause(
        name=name,
        bound=str(bound),
        found=" and ".join(str(shape) for shape in found) or "none",
        status="passed" if found == (bound,) else "failed",
    )


def _required_layers(kinds: tuple[str, ...], found: tuple[str, ...]) -> Clause:
    missing = [kind for kind in kinds if kind not in found]
    return Clause(
        name="required layers",
        bound=", ".join(kinds),
        found=f"without {', '.join(missing)}" if missing else "all there",
        status="failed" if missing else "passed",
    )
