"""Losses that layers add, where several replicas train."""

import threading


class OwnLosses:
    """Mixin of layers with `add_loss`: each replica has its own list.

    The replicas of a tf.distribute strategy are threads that wait for each
    other within a step, as in the mean of a batch's weights, and go on in turn;
    Keras keeps one list for all, so one would find the losses of another.
    """

    @property
    def _losses(self):
        lists = self.__dict__.setdefault("_losses_of_threads", {})
        return lists.setdefault(threading.get_ident(), [])

    @_losses.setter
    def _losses(self, value):  # Keras begins with an empty list
        self._losses[:] = value
