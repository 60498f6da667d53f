"""Batches as streams of Grain."""

import os


def wrapped(batches, wait):
    """Yield batches that numpy makes, several at a time, in order.

    Args:
        batches: A `Batches`.
        wait: Makes a context in which time counts as waiting for input.
    """
    import grain

    options = grain.ReadOptions(
        num_threads=os.cpu_count(), prefetch_buffer_size=4
    )
    numbers = grain.MapDataset.range(2**40).map(batches.__getitem__)
    iterator = iter(numbers.to_iter_dataset(options))
    while True:
        with wait():
            batch = next(iterator)
        yield batch
