"""What images there are, in lines on the terminal."""

from keras_lt import stats
from keras_lt.data import ImageDataset
from keras_lt.groups import class_groups
from keras_lt.runs.options import DataOptions

SHOWN = 5  # classes at either end


def print_dataset(dataset: ImageDataset) -> None:
    """Print splits, classes, groups of them, and files that are left out."""
    counts, names = dataset.class_counts, dataset.class_names
    for split in ("train", "validation", "test"):
        _, labels = getattr(dataset, split) or ((), ())
        if len(labels):
            own = stats.count_classes(labels, len(names))
            print(f"{split}: {len(labels):,} images, {_range(own)} a class")
    ratio = max(counts) / min(counts)
    print(f"classes: {len(names):,}, imbalance ratio {ratio:.4g}")
    for title, members in class_groups(counts, dataset.groups).items():
        print(f"  {title}: {len(members):,}")
    order = sorted(range(len(names)), key=lambda c: -counts[c])
    parts = {"largest": order[:SHOWN], "rarest": order[-SHOWN:]}
    if len(order) <= 2 * SHOWN:
        parts = {"from the largest to the rarest": order}
    for title, part in parts.items():
        shown = ", ".join(f"{names[c]} ({counts[c]:,})" for c in part)
        print(f"{title}: {shown}")
    folders = [name for name in dataset.ignored if name.endswith("/")]
    if folders:
        print(f"ignored, as hidden folders: {', '.join(folders)}")
    files = [name for name in dataset.ignored if name not in folders]
    if files:
        print(
            f"ignored, as no image by the ending: {len(files):,} files, the "
            f"first is {files[0]}"
        )


def print_shares(data: DataOptions) -> None:
    """Print what test and validation images are, if shares of each class."""
    if data.test_share:
        print(
            f"test images: where there is no split of that name, "
            f"{data.test_share:.0%} of each class, of four images or more at "
            "least two (--test_share)"
        )
    if data.validation_share:
        print(
            f"validation images: where there is no split of that name, "
            f"{data.validation_share:.0%} of what is left of each class, "
            "never trained on (--validation_share)"
        )


def _range(counts):
    least, most = min(counts), max(counts)
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"
