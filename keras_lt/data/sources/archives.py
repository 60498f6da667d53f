"""Layout of the official binary archives of CIFAR."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Archive:
    """Layout of one official binary archive.

    Args:
        file: Name of the archive.
        folder: Folder inside of it.
        train: Names and numbers of records of the training files.
        test: The same of the test files.
        names: File with the class names.
        label_bytes: Label bytes of a record; the last one counts.
    """

    file: str
    folder: str
    train: dict[str, int]
    test: dict[str, int]
    names: str
    label_bytes: int

    @property
    def packed(self) -> str:
        """Name of an archive that `pack` made."""
        return self.file.replace(".tar.gz", "-packed.tar.xz")


ARCHIVES = {
    "cifar10": Archive(
        "cifar-10-binary.tar.gz",
        "cifar-10-batches-bin",
        {f"data_batch_{i}.bin": 10_000 for i in range(1, 6)},
        {"test_batch.bin": 10_000},
        "batches.meta.txt",
        1,
    ),
    "cifar100": Archive(
        "cifar-100-binary.tar.gz",
        "cifar-100-binary",
        {"train.bin": 50_000},
        {"test.bin": 10_000},
        "fine_label_names.txt",
        2,
    ),
}
