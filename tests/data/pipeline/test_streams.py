"""Streams of tf.data that run for days."""

import gc
import sys

import programs
import toy

from keras_lt.data import Batching

pytestmark = programs.once("tensorflow")


def test_a_batch_leaves_nothing_behind():
    feed = toy.loader("tf.data").feed(Batching(batch_size=2), 0)
    stream = iter(feed.batches)

    def blocks(batches):
        for _ in range(batches):
            next(stream)
        gc.collect()
        return sys.getallocatedblocks()

    before = blocks(200)
    assert (blocks(800) - before) / 800 < 0.5  # objects of Python
    assert feed.waited > 0
