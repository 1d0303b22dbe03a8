"""``check`` refuses the forged record of a run as its contract's baseline."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mnist_tasks import check_store, predictions, run_store
from mnist_tasks.checking import metrics
from tests import examples, generated
from tests.json_output import result_of
from tests.vetting.crafted import handmade

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Run

_, LABELS = generated.digits(128, seed=1)  # of the small data set's test images
TRUE = np.eye(10, dtype=np.float32)[LABELS] * np.float32(0.9) + np.float32(0.01)
INVENTED = np.roll(TRUE, 1, axis=1)  # all wrong: no model is worse


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Return the folder of a run that was checked, the baseline of contract.toml beside it."""
    folder = tmp_path / "runs" / examples.run().id
    check = replace(examples.check(), metrics=metrics.compute(TRUE, LABELS))
    run_store.save(examples.run(checked=check), folder.parent)
    attached = check_store.attach_to_run(check, folder.parent, TRUE)
    assert attached is not None
    baseline = f"baseline = {{ record = 'runs/{folder.name}' }}\n"
    (tmp_path / "contract.toml").write_text(f"accuracy_above = 0\n{baseline}")
    (tmp_path / "model.keras").write_bytes(handmade.write_keras(handmade.small()))
    return folder


def invent_predictions(run: Path) -> None:
    predictions.save(INVENTED, run)


def invent_predictions_and_metrics(run: Path) -> None:
    record = run_store.read(run / "run.json")
    assert record.check is not None
    measured = metrics.compute(INVENTED, LABELS)
    run_store.save(replace(record, check=replace(record.check, metrics=measured)), run.parent)
    predictions.save(INVENTED, run)


def take_the_check_of_another_model(run: Path) -> None:
    record = run_store.read(run / "run.json")
    assert record.check is not None
    other = replace(record.check.model, sha256="cd" * 32)
    examples.write(replace(record, check=replace(record.check, model=other)), run.parent)


def exchange_the_model(run: Path) -> None:
    (run / "model.h5").write_bytes(b"another model")


@pytest.mark.parametrize(
    ("forge", "reason"),
    [
        (invent_predictions, "but its record has"),
        (invent_predictions_and_metrics, "but its record has"),
        (take_the_check_of_another_model, "its check is of another model file"),
        (exchange_the_model, "another model file in its folder"),
    ],
)
def test_a_forged_record_is_refused(
    small_cli: Callable[..., Run], run: Path, forge: Callable[[Path], None], reason: str
) -> None:
    forge(run)
    done = small_cli("check", "model.keras", "--contract", "contract.toml", "--json")
    assert done.returncode == 3, done.stderr
    (only,) = result_of(done)["checks"]
    assert only["check"] is None
    assert only["error"]["subject"].startswith("the baseline ")
    assert reason in only["error"]["found"]


@pytest.mark.slow
def test_the_record_as_it_was_is_a_baseline(small_cli: Callable[..., Run], run: Path) -> None:
    done = small_cli("check", "model.keras", "--contract", "contract.toml", "--json")
    assert done.returncode == 1, done.stderr
    clauses = result_of(done)["checks"][0]["check"]["verdict"]["clauses"]
    failed = {each["name"] for each in clauses if each["status"] == "failed"}
    assert any("baseline" in name for name in failed), failed
