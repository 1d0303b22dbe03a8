"""Invalid options are refused before TensorFlow is loaded."""

from pathlib import Path
from typing import Any

import pytest

from mnist_tasks import config
from mnist_tasks.config import TrainingConfig
from mnist_tasks.errors import UsageError


def test_the_defaults_are_valid() -> None:
    settings = TrainingConfig()
    assert settings.output == Path("model_latest.h5")
    assert settings.threads == config.available_cores() >= 1


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("seed", -1),
        ("seed", 2**32),
        ("threads", 0),
        ("limit", 0),
        ("limit", 1_000_001),
        ("limit", 2.5),
        ("validation", -1),
        ("validation", 1_000_000),
        ("device", "tpu"),
        ("device", "gpu:"),
        ("device", "gpu:-1"),
        ("device", "all "),
        ("device", 3),
        ("recipe", None),
        ("precision", "float16"),
        ("precision", None),
        ("output", Path("model.pkl")),
        ("output", Path("model")),
        ("output", Path("x" * 300 + ".h5")),
        ("output", Path("a\0.h5")),
        ("output", Path("/dev/stdout")),
    ],
)
def test_a_value_out_of_range_is_named(option: str, value: Any) -> None:
    with pytest.raises(UsageError) as caught:
        TrainingConfig(**{option: value})
    assert caught.value.subject == f"--{option.replace('_', '-')}"
    assert caught.value.expected


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("seed", 0),
        ("seed", 2**32 - 1),
        ("limit", 60_000),
        ("device", "gpu:0"),
        ("device", "all"),
        ("output", Path("model.keras")),
    ],
)
def test_a_value_at_the_end_of_its_range_is_valid(option: str, value: Any) -> None:
    assert getattr(TrainingConfig(**{option: value}), option) == value


def test_a_tf_config_of_several_workers_is_refused() -> None:
    workers = '{"cluster": {"chief": ["a:1"], "worker": ["b:1", "c:1"]}, "task": {"type": "chief"}}'
    with pytest.raises(UsageError) as caught:
        config.refuse_many_workers({"TF_CONFIG": workers})
    assert caught.value.subject == "TF_CONFIG"
    assert caught.value.found == "3 workers"
    assert "trains more slowly on several" in (caught.value.expected or "")
    assert "--device all" in (caught.value.remedy or "")


@pytest.mark.parametrize(
    "value",
    [None, "", "{", "[]", '{"cluster": 3}', '{"cluster": {"worker": ["a:1"]}}', "[" * 10_000],
)
def test_any_other_tf_config_is_left_to_tensorflow(value: str | None) -> None:
    config.refuse_many_workers({} if value is None else {"TF_CONFIG": value})
