"""Predict the class of a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mnist_tasks import config, dataset_info
from mnist_tasks.api.checking import load_contract
from mnist_tasks.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    from mnist_tasks.api.data import AnyPath
    from mnist_tasks.checking.contract import Contract
    from mnist_tasks.predicting.predictor import Prediction, Predictor


def predict(
    picture: AnyPath | NDArray[Any] | Image,
    *,
    model: AnyPath = config.LATEST_MODEL,
    raw: bool = False,
    contract: AnyPath | Contract | None = None,
    runs_dir: AnyPath = config.RUNS_FOLDER,
    dataset: str | None = None,
    require_isolation: bool = False,
) -> Prediction:
    """Predict the class of a picture, such as a photo of a handwritten digit.

    The picture is prepared as MNIST's images were: the digit is found, scaled and centered. The
    model is vetted and run in a child process, as in `check`.

    Parameters
    ----------
    picture
        A file, in PNG, JPEG, WebP, GIF or BMP; an image of Pillow; or an array: (h, w) or
        (h, w, 3), of uint8, of booleans, or of floats in [0, 1].
    model, contract, runs_dir, require_isolation
        As in `check`. The contract says which input the model takes.
    raw
        Whether the picture is like an image of the data set already, such as
        ``load_data("test").images[0]``: only its size is changed, if necessary.
    dataset
        Data set whose classes the model predicts; by default that of the run that made the model,
        or else ``mnist``.

    Returns
    -------
    prediction
        ``.predicted`` and ``.probability``; ``.runner_up`` and ``.runner_up_probability``;
        ``.probabilities`` of all classes; and ``.image``, what the model saw: (28, 28) uint8.

    Raises
    ------
    InputRefusedError
        The picture is damaged, blank, too large or shows several digits; or the model's file is
        missing, corrupt, unsupported or unsafe.
    UsageError
        An array has another shape or type; there is no such data set, or the contract is invalid.
    EnvironmentProblemError
        As in `check`.
    """
    from PIL import Image

    from mnist_tasks.predicting import pictures

    name = "picture"
    if isinstance(picture, Image.Image):
        pixels = pictures.of_image(picture, name)
    elif hasattr(picture, "shape"):
        pixels = _pixels(picture)
    else:
        name = str(picture)
        pixels = pictures.read(Path(picture))
    chosen = predictor(
        model,
        raw=raw,
        contract=contract,
        runs_dir=runs_dir,
        dataset=dataset,
        require_isolation=require_isolation,
    )
    return chosen.predict(pixels, name)


def predictor(
    model: AnyPath,
    *,
    raw: bool,
    contract: AnyPath | Contract | None,
    runs_dir: AnyPath,
    dataset: str | None,
    require_isolation: bool,
    default: str = dataset_info.MNIST.name,
) -> Predictor:
    """Return what `predict` uses; a model that no run made predicts the classes of `default`.

    Raises
    ------
    UsageError
        There is no such data set, or the contract is invalid.
    """
    from mnist_tasks.checking import model_dataset
    from mnist_tasks.predicting.predictor import Predictor

    path = Path(model)
    chosen = model_dataset.choose(path, Path(runs_dir), named=dataset, default=default)
    return Predictor(
        model=path,
        info=chosen.info,
        contract=load_contract(contract).contract,
        raw=raw,
        require_isolation=require_isolation,
    )


def _pixels(array: Any) -> NDArray[np.uint8]:
    import numpy as np

    values = np.asarray(array)
    is_picture = values.ndim == 2 or (values.ndim == 3 and values.shape[2] == 3)
    is_unit = values.dtype.kind == "f" and values.size and 0 <= values.min() <= values.max() <= 1
    if is_picture and values.size and (is_unit or values.dtype.kind == "b"):
        return np.floor(values * 255.0 + 0.5).astype(np.uint8)
    if is_picture and values.size and values.dtype == np.uint8:
        return values
    raise UsageError(
        "picture",
        expected="an array (h, w) or (h, w, 3), of uint8, of booleans, or of floats in [0, 1]",
        found=f"an array of {values.dtype} with the shape {values.shape}",
    )
