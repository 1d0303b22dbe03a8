"""Warnings that are errors, but for those of the libraries."""

from __future__ import annotations

import warnings

import pytest

from mnist_tasks.training import library_warnings


def test_only_warnings_of_the_libraries_are_no_errors() -> None:
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("error")
        with library_warnings.lenient():
            warn("keras.src.backend.tensorflow.core", DeprecationWarning)
            warn("numpy", UserWarning)
            with pytest.raises(UserWarning):
                warn("net", UserWarning)
            with pytest.raises(DeprecationWarning):
                warn("keras_of_hers", DeprecationWarning)
        with pytest.raises(DeprecationWarning):
            warn("keras", DeprecationWarning)
    assert [each.category for each in shown] == [UserWarning]


def warn(module: str, category: type[Warning]) -> None:
    warnings.warn_explicit("old", category, "file.py", 1, module=module)
