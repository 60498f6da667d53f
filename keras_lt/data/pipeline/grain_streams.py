"""Batches as streams of Grain."""

import os
from collections.abc import Iterator

from keras_lt.data.pipeline.feed import Feed


def stream(feed: Feed) -> Iterator[tuple]:
    """Yield a feed's batches, made by numpy, several at a time, in order."""
    import grain

    options = grain.ReadOptions(
        num_threads=os.cpu_count(), prefetch_buffer_size=4
    )
    numbers = grain.MapDataset.range(2**40).map(feed.numbered.__getitem__)
    iterator = iter(numbers.to_iter_dataset(options))
    while True:
        with feed.wait():
            batch = next(iterator)
        yield batch
