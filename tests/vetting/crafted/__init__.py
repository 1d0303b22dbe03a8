"""Crafted model files: a table of what a stranger may send, and what has to be said of it."""

from __future__ import annotations

from tests.vetting.crafted import archive, code, hdf5, outside, shape, size

TABLE = [*code.ROWS, *hdf5.ROWS, *archive.ROWS, *shape.ROWS, *size.ROWS, *outside.ROWS]
