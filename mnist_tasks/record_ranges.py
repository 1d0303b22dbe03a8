"""The ranges of the values in a record.

A record can come from anyone: no real run leaves these ranges, and every report can show them.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from mnist_tasks.dataset_info import MOST_CLASSES

Count = Annotated[int, Meta(ge=0, le=10**15)]
Share = Annotated[float, Meta(ge=0, le=1)]
Confidence = Annotated[float, Meta(gt=0, le=0.999999)]
Loss = Annotated[float, Meta(ge=-1e12, le=1e12)]
Seconds = Annotated[float, Meta(ge=0, le=1e12)]
Speed = Annotated[float, Meta(ge=0, le=1e12)]
Weight = Annotated[float, Meta(ge=-1e38, le=1e38)]
_Word = Annotated[str, Meta(pattern=r"\A[a-z0-9_]{1,40}\Z")]
Setting = Annotated[int, Meta(ge=-(10**15), le=10**15)] | Weight | _Word
Sha256 = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
Row = Annotated[tuple[Count, ...], Meta(min_length=2, max_length=MOST_CLASSES)]
Confusion = Annotated[tuple[Row, ...], Meta(min_length=2, max_length=MOST_CLASSES)]
Square = Annotated[
    tuple[Annotated[tuple[Weight, ...], Meta(min_length=1, max_length=64)], ...],
    Meta(min_length=1, max_length=64),
]
