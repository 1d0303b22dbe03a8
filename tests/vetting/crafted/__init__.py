"""Crafted model files: a table of attacks and corruptions, each with its expected result."""

from __future__ import annotations

from tests.vetting.crafted import (
    archive,
    code,
    forged_batch,
    forged_lookup,
    forged_numbers,
    forged_twice,
    hdf5,
    outside,
    sequence,
    shape,
    size,
    training,
)

TABLE = [
    *code.ROWS,
    *training.ROWS,
    *hdf5.ROWS,
    *archive.ROWS,
    *shape.ROWS,
    *size.ROWS,
    *sequence.ROWS,
    *outside.ROWS,
    *forged_batch.ROWS,
    *forged_lookup.ROWS,
    *forged_numbers.ROWS,
    *forged_twice.ROWS,
]
