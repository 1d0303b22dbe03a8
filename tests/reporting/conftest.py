"""A run with all the data that a report can show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import runs

if TYPE_CHECKING:
    from pathlib import Path

    from mnist_tasks.reporting.run_view import RunView


@pytest.fixture
def view(small_mnist: Path, tmp_path: Path) -> RunView:
    return runs.view(tmp_path / "runs", small_mnist)
