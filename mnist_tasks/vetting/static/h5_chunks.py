"""Check a dataset that HDF5 stores in chunks, perhaps compressed with gzip."""

from __future__ import annotations

import math
import zlib
from typing import Any

from mnist_tasks.vetting.untrusted_text import RefusedError

_MOST_CHUNKS = 4_000
_CHECKSUM_BYTES = 4


def check(dataset: Any, where: str, *, most: int) -> int:
    """Return how many bytes a dataset unpacks to; refuse one that isn't what it declares.

    HDF5 unpacks a chunk to whatever size it has, and leaves memory as it is where a chunk is too
    short. Python's zlib stops at the declared size.

    Raises
    ------
    RefusedError
        It unpacks to more than `most` bytes, a chunk is missing or of another size, or the filters
        are others than shuffle, gzip and a checksum, in this order.
    """
    import h5py

    setup = dataset.get_create_plist()
    filters = [setup.get_filter(number)[0] for number in range(setup.get_nfilters())]
    known = [h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_FLETCHER32]
    if filters != [each for each in known if each in filters]:
        raise RefusedError(
            f"{where} is compressed in an unusual way", expected="no compression, or gzip"
        )
    chunk = setup.get_chunk()
    size: int = math.prod(chunk) * dataset.get_type().get_size()
    expected: int = math.prod(
        -(-length // part) for length, part in zip(dataset.shape, chunk, strict=True)
    )
    if size * expected > most:
        raise RefusedError(
            f"{where} unpacks to {size * expected:,} bytes", expected=f"at most {most:,} bytes"
        )
    if expected > _MOST_CHUNKS or dataset.get_num_chunks() != expected:
        raise RefusedError(
            f"{where} has {dataset.get_num_chunks():,} chunks",
            expected=f"{expected:,}, and at most {_MOST_CHUNKS:,}",
            outcome="model-unreadable",
        )
    for number in range(expected):
        place = dataset.get_chunk_info(number).chunk_offset
        mask, data = dataset.read_direct_chunk(place)
        if h5py.h5z.FILTER_FLETCHER32 in filters:
            data = data[:-_CHECKSUM_BYTES]
        deflated = h5py.h5z.FILTER_DEFLATE in filters
        if mask or not (_inflates_to(data, size) if deflated else len(data) == size):
            raise RefusedError(
                f"a chunk of {where} doesn't have the declared {size:,} bytes",
                outcome="model-unreadable",
            )
    return size * expected


def _inflates_to(data: bytes, size: int) -> bool:
    unpacker = zlib.decompressobj()
    try:
        found = unpacker.decompress(data, size + 1)
    except zlib.error:
        return False
    return len(found) == size and unpacker.eof and not unpacker.unused_data
