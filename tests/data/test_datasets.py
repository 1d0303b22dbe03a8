"""The table of MNIST's files."""

from mnist_tasks.data import datasets


def test_sizes_match_the_real_files() -> None:
    assert [file.bytes for file in datasets.default().files] == [
        47_040_016,
        60_008,
        7_840_016,
        10_008,
    ]


def test_headers_match_the_format() -> None:
    assert datasets.MNIST.train[0].header.hex(" ", 4) == "00000803 0000ea60 0000001c 0000001c"
    assert datasets.MNIST.test[1].header.hex(" ", 4) == "00000801 00002710"


def test_every_file_has_its_own_sha256() -> None:
    assert {len(bytes.fromhex(file.sha256)) for file in datasets.default().files} == {32}
    assert len({file.sha256 for file in datasets.default().files}) == 4
