"""The table of costs is complete."""

from __future__ import annotations

from mnist_tasks.vetting import allowlist, layer_costs


def test_every_allowed_class_has_one_cost() -> None:
    assert layer_costs.ELEMENTWISE | layer_costs.COSTS.keys() == allowlist.LAYERS
    assert not layer_costs.ELEMENTWISE & layer_costs.COSTS.keys()
