"""What `export` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mnist_tasks import dataset_info
from mnist_tasks.errors import printable
from mnist_tasks.exporting import formats, results
from mnist_tasks.reporting import formatting
from mnist_tasks.reporting.terminal import tables

if TYPE_CHECKING:
    from rich.console import RenderableType

    from mnist_tasks.exporting.results import Export

_MOST_CLASSES = 20


def exported(export: Export) -> RenderableType:
    """Show an exported model, how to feed it, and how it compares with Keras's."""
    size = f"{export.bytes:,} bytes"
    versions = ", ".join(f"{name} {version}" for name, version in export.versions.items())
    classes = export.output.classes
    images = formatting.plural(export.images, "test image")
    if export.dataset != dataset_info.MNIST:
        images += f" of {printable(export.dataset.title)}"
    better = export.better_pixels and f"{export.better_pixels}: set that in the contract, and rerun"
    rows: dict[str, str | tuple[str, ...]] = {
        "format": formats.KINDS[export.format].title,
        "folder" if export.sha256 is None else "file": f"{export.path} ({size})",
        "input": f"{export.input.name}: float32 {_shape(export.input.shape)}, "
        f"each number {results.formula(export.input)}",
        "output": f"{export.output.name}: float32 {_shape((export.input.shape[0], len(classes)))}"
        f"{_classes(classes)}",
        "compared": f"{images}: each the same class as in {export.keras}",
        "largest difference": f"{export.largest_difference:.1e} of a probability",
        "accuracy": (formatting.percent(export.accuracy), *([better] if better else [])),
        "latency": f"{export.latency_ms:.3f} ms for one image, {export.keras_latency_ms:.3f} ms in "
        "Keras (medians on one thread)",
        "made and run with": versions,
        "seconds": formatting.seconds(export.seconds),
    }
    return tables.panel("Export", rows)


def _shape(shape: tuple[int | None, ...]) -> str:
    return f"({', '.join('n' if size is None else str(size) for size in shape)})"


def _classes(classes: tuple[str, ...]) -> str:
    if len(classes) > _MOST_CLASSES:
        return ""
    return f", of {', '.join(map(printable, classes))}"
