"""Keep the libraries' warnings from becoming errors, as with ``PYTHONWARNINGS=error``.

Keras turns its variables into arrays in a way that NumPy 2 warns about: the end of a training would
lose the model. Warnings about the user's own code stay what the user wants them to be.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

LIBRARIES = r"(absl|google|h5py|keras|ml_dtypes|numpy|opt_einsum|optree|tensorflow|tf_keras)(\.|$)"
_FOR_DEVELOPERS = (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning)


@contextmanager
def lenient() -> Iterator[None]:
    """Treat warnings that arise in the libraries as Python does by default."""
    with warnings.catch_warnings():
        warnings.filterwarnings("default", module=LIBRARIES)
        for category in _FOR_DEVELOPERS:
            warnings.filterwarnings("ignore", category=category, module=LIBRARIES)
        yield
