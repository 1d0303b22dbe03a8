"""The contract: what a model must be to be accepted. Numbers in, verdict out; nothing is read here.

Every clause is judged and reported, whatever became of the one before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mnist_tasks.records import Clause, Verdict

if TYPE_CHECKING:
    from mnist_tasks.records import Metrics, Shape

NOT_MEASURED = "not measured"


@dataclass(frozen=True, kw_only=True)
class Contract:
    """The bounds. Those on parameters and accuracy are strict: a model on the bound fails.

    Attributes
    ----------
    parameters_below
        Trainable and non-trainable together.
    input_shape, output_shape
        ``None`` stands for the batch.
    accuracy_above
        On the test images, in [0, 1].
    """

    parameters_below: int = 25_000
    input_shape: Shape = (None, 28, 28, 1)
    output_shape: Shape = (None, 10)
    accuracy_above: float = 0.95


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What was found out about a model.

    Attributes
    ----------
    input_shapes, output_shapes
        One for each input and output of the model.
    metrics
        On the test images; ``None`` where there are no predictions, for the reason in
        `unpredicted`.
    """

    parameters: int
    input_shapes: tuple[Shape, ...]
    output_shapes: tuple[Shape, ...]
    metrics: Metrics | None
    unpredicted: str | None = None


def judge(contract: Contract, facts: Facts) -> Verdict:
    """Hold the facts against each clause."""
    return Verdict(
        clauses=(
            _clause(
                "parameters",
                bound=f"< {contract.parameters_below:,}",
                found=f"{facts.parameters:,}",
                holds=facts.parameters < contract.parameters_below,
            ),
            _clause(
                "input shape",
                bound=str(contract.input_shape),
                found=_shapes(facts.input_shapes),
                holds=facts.input_shapes == (contract.input_shape,),
            ),
            _clause(
                "output shape",
                bound=str(contract.output_shape),
                found=_shapes(facts.output_shapes),
                holds=facts.output_shapes == (contract.output_shape,),
            ),
            _accuracy(contract, facts),
        )
    )


def _accuracy(contract: Contract, facts: Facts) -> Clause:
    bound = f"> {contract.accuracy_above:.2%}"
    if facts.metrics is None:
        reason = facts.unpredicted or "no predictions"
        return _clause("test accuracy", bound=bound, found=f"{NOT_MEASURED}: {reason}", holds=False)
    accuracy = facts.metrics.accuracy
    return _clause(
        "test accuracy",
        bound=bound,
        found=f"{accuracy:.2%}",
        # A comparison with NaN is false, so that it can never hold.
        holds=accuracy > contract.accuracy_above,
    )


def _clause(name: str, *, bound: str, found: str, holds: bool) -> Clause:
    return Clause(name=name, bound=bound, found=found, status="holds" if holds else "broken")


def _shapes(shapes: tuple[Shape, ...]) -> str:
    return " and ".join(str(shape) for shape in shapes) or "none"
