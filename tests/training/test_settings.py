"""Settings of a recipe as users write them: parsed, or refused with the valid values."""

import pytest

from mnist_tasks.errors import UsageError
from mnist_tasks.old_records import RENAMED_SETTINGS
from mnist_tasks.training import settings


def test_values_get_their_type() -> None:
    found = settings.parse_many(("max_shift=0,2.0", " learning_rate = 1e-2,1"))
    assert found == {"max_shift": (0, 2), "learning_rate": (0.01, 1.0)}
    assert all(type(value) is int for value in found["max_shift"])
    assert all(type(value) is float for value in found["learning_rate"])
    texts = ("optimizer=sgd, adamw", "max_shift=0.5")
    assert settings.parse_many(texts) == {"optimizer": ("sgd", "adamw"), "max_shift": (0.5,)}
    assert settings.parse_one_each(("warmup_fraction=0.1", "ema_momentum=0")) == (
        ("ema_momentum", 0.0),
        ("warmup_fraction", 0.1),
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("max_shift", "a setting such as max_shift=0"),
        ("", "a setting such as max_shift=0"),
        ("name=x", "one of epochs, batch_size"),
        ("max_shift=9", "a number from 0 to 4"),
        ("max_shift=4.5", "a number from 0 to 4"),
        ("max_shift=", "a number from 0 to 4"),
        ("max_rotation=181", "a number from 0 to 180"),
        ("weight_decay=-1", "a number of at least 0, below 1"),
        ("optimizer=adam", "one of adagrad, adamw, sgd"),
        ("optimizer=1", "one of adagrad, adamw, sgd"),
        ("optimizer=", "one of adagrad, adamw, sgd"),
        ("ema_momentum=1", "a number of at least 0, below 1"),
        ("learning_rate=0", "a number above 0"),
        ("learning_rate=nan", "a number above 0"),
        ("learning_rate=inf", "a number above 0"),
        ("learning_rate=1" + 400 * "0", "a number above 0"),
        ("learning_rate=1" + 5000 * "0", "a number above 0"),
        ("warmup_fraction=\x1b[31m", "a number of at least 0, below 1"),
        ("epochs=0.3,0.4", "a whole number from 1 to 1,000"),
    ],
)
def test_an_invalid_setting_is_refused(text: str, expected: str) -> None:
    with pytest.raises(UsageError) as caught:
        settings.parse_many((text,))
    assert str(caught.value.expected).startswith(expected)
    assert "\x1b" not in caught.value.found
    assert caught.value.found


@pytest.mark.parametrize("texts", [("max_shift=0,1",), ("max_shift=0", "max_shift=1")])
def test_a_run_has_one_value_of_each_setting(texts: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="--set max_shift"):
        settings.parse_one_each(texts)


@pytest.mark.parametrize("name", ["average", "shift", "towers"])
def test_an_old_name_is_refused_with_the_new_one_in_the_remedy(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        settings.parse_many((f"{name}=0",))
    assert caught.value.remedy == f"It is now called {RENAMED_SETTINGS[name]}."


@pytest.mark.parametrize(("name", "remedy"), [("optimiser", "Write optimizer."), ("depth", None)])
def test_a_misspelt_name_is_refused_with_the_nearest_one(name: str, remedy: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        settings.parse_many((f"{name}=sgd",))
    assert caught.value.remedy == remedy
