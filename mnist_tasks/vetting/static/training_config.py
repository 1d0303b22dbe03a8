"""Check a training configuration, which is never used: it may say anything but name code.

Neither the ``training_config`` of an ``.h5`` file nor a ``compile_config`` is given to Keras here.
So no name, word or setting in one is a reason to refuse a model, whatever version of Keras wrote
it. But a user who opens the file without ``compile=False`` builds what it says. So the only Python
modules that it may name are those of Keras for optimizers, losses and metrics, and it may have no
class that runs code. Keras 2 and 3 import a module only if the key ``module`` names it (for
``__typespec__``, too), run stored code only for ``__lambda__`` and in layers, and look up a word
without a module among their own optimizers, losses and metrics.
"""

from __future__ import annotations

import re

from mnist_tasks.vetting.static import code_names
from mnist_tasks.vetting.static.config_values import check_number
from mnist_tasks.vetting.untrusted_text import RefusedError, sanitize

_WHERE = "the training configuration"
_DEEPEST = 20
_LONGEST_TEXT = 200
_PARTS = "optimizers|losses|metrics|regularizers|dtype_policies|mixed_precision"
_MODULES = re.compile(rf"(tf_)?keras(\.src)?\.({_PARTS})(\.\w+){{0,4}}", re.ASCII)
# Keras 3 has its dtype policies at its top.
_POLICIES = re.compile(rf"keras|{_MODULES.pattern}", re.ASCII)


def check_training(value: object) -> None:
    """Refuse a training configuration that names code, or is no plain JSON of limited depth.

    Raises
    ------
    RefusedError
        With the outcome ``model-can-run-code`` if it names a module outside Keras, a function
        outside its losses and metrics, or a class that runs or reads something.
    """
    for item, depth in code_names.walk(value):
        if depth > _DEEPEST:
            raise RefusedError(f"{_WHERE} is nested more than {_DEEPEST} deep")
        if isinstance(item, dict):
            is_policy = item.get("class_name") in ("DTypePolicy", "FloatDTypePolicy")
            modules = _POLICIES if is_policy else _MODULES
            code_names.check_object(item, _WHERE, modules=modules)
        elif isinstance(item, str):
            if len(item) > _LONGEST_TEXT or not item.isprintable():
                raise RefusedError(
                    f"{_WHERE} contains the text '{sanitize(item)}'",
                    expected=f"printable text of at most {_LONGEST_TEXT} characters",
                )
        elif not isinstance(item, list):
            check_number(item, _WHERE)
