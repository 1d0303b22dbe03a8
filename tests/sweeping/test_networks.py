"""A sweep of networks of one's own: each text is read once, and is part of a run's ID."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from mnist_tasks.errors import InputRefusedError, UsageError
from mnist_tasks.sweeping import plan_file, search_space
from mnist_tasks.sweeping.plan import Plan

TEXT = "def build(): ...\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text(TEXT)


def plan(*networks: str, recipes: tuple[str, ...] = ("default",)) -> Plan:
    grid = search_space.grid(recipes, {"learning_rate": (0.1,)}, networks)
    return Plan(settings=grid, seeds=(3,))


def test_a_job_has_the_text_of_its_network_and_a_name_from_it() -> None:
    (small, usual) = plan("net.py:small", "net.py").jobs(Path("sweeps/x"))
    assert small.id == f"net-small-{small.digest}-3"
    assert usual.id == f"net-{usual.digest}-3"
    assert small.setting.name == "net.py:small learning_rate=0.1"
    Path("net.py").unlink()
    sent = pickle.loads(pickle.dumps(small))  # noqa: S301 - as to a worker
    assert sent.network.source.text == TEXT
    assert sent.config.network == "net.py:small"


def test_another_text_or_function_is_another_run() -> None:
    def digest(*networks: str) -> list[str]:
        return [job.digest for job in plan(*networks).jobs(Path("sweeps/x"))]

    before = digest("net.py", "net.py:small")
    assert len(set(before)) == 2
    assert digest("net.py", "net.py:small") == before
    Path("net.py").write_text(TEXT + "# more\n")
    assert not set(digest("net.py", "net.py:small")) & set(before)


def test_a_network_is_combined_with_each_recipe() -> None:
    names = [each.name for each in plan("net.py", recipes=("default", "plain")).settings]
    assert names == ["net.py learning_rate=0.1", "net.py (plain) learning_rate=0.1"]


def test_networks_of_the_same_name_are_refused() -> None:
    Path("other").mkdir()
    Path("other/net.py").write_text(TEXT)
    with pytest.raises(UsageError, match=r"--network: two that are called net\.py"):
        plan("net.py", "other/net.py")


def test_a_missing_network_is_refused_before_anything_runs() -> None:
    with pytest.raises(InputRefusedError, match=r"absent\.py"):
        plan("absent.py")


def test_the_files_of_a_plan_are_looked_for_from_its_folder() -> None:
    Path("plans").mkdir()
    Path("plans/own.py").write_text(TEXT)
    Path("plans/plan.toml").write_text(
        'networks = ["own.py:small", "../net.py"]\n[set]\nepochs = [1, 2]\n'
        '[[settings]]\nnetwork = "own.py"\nbatch_size = 5\n'
    )
    found = plan_file.load(Path("plans/plan.toml"), Plan())
    assert [each.name for each in found.settings] == [
        "own.py:small epochs=1",
        "own.py:small epochs=2",
        "net.py epochs=1",
        "net.py epochs=2",
        "own.py batch_size=5",
    ]
    assert found.networks["plans/own.py"].source.text == TEXT


def test_a_plan_without_a_network_takes_the_one_of_the_project() -> None:
    Path("plan.toml").write_text("[set]\nepochs = 2\n[[settings]]\nbatch_size = 5\n")
    base = Plan(settings=search_space.grid(["default"], {}, ["net.py"]))
    found = plan_file.load(Path("plan.toml"), base)
    assert [each.name for each in found.settings] == ["net.py epochs=2", "net.py batch_size=5"]


def test_settings_of_recipes_only_are_refused() -> None:
    with pytest.raises(UsageError, match="--set ema_momentum"):
        Plan(settings=search_space.grid(["default"], {"ema_momentum": (0.5,)}, ["net.py"]))
