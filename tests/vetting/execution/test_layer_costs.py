"""The table of costs is complete."""

from __future__ import annotations

from mnist_tasks.vetting.execution import layer_costs
from mnist_tasks.vetting.static import allowlist


def test_every_allowed_class_has_one_cost() -> None:
    assert layer_costs.ELEMENTWISE | layer_costs.COSTS.keys() == allowlist.LAYERS
    assert not layer_costs.ELEMENTWISE & layer_costs.COSTS.keys()
