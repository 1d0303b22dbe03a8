"""Crafted model files: a table of what a stranger may send, and what has to be said of it."""

from __future__ import annotations

from tests.checking.crafted import archive, code, hdf5, outside, size

TABLE = [*code.ROWS, *hdf5.ROWS, *archive.ROWS, *size.ROWS, *outside.ROWS]
