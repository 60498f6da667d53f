"""A teacher that is the moving average of its student."""

import keras

from keras_lt.callbacks.paths import find_layer
from keras_lt.checking import checked


class TeacherUpdate(keras.callbacks.Callback):
    """Move the teacher towards the student after every step.

    For each pair of variables, statistics of batch normalisation included,
    `teacher <- momentum * teacher + (1 - momentum) * student`. Freeze the
    teacher (`training.freeze`), and compare it with the student by
    `layers.Distillation`.

    With `steps_per_execution` = k the step is seen after every k-th update
    only; the momentum is then raised to the power k.

    Args:
        student: Name of a layer or nested model of the model that is trained,
            or a path through nested models.
        teacher: The same for the teacher; its variables have the shapes of
            the student's.
        momentum: Share of the teacher that stays, in [0, 1].
        copy: Whether the teacher starts as a copy of the student, when
            training starts at epoch 0.

    Raises: ValueError: if `momentum` is outside [0, 1], or, when training
        starts, if the variables do not match.

    See also: `layers.Distillation`; `training.Average`, of a whole run.

    Source: Tarvainen & Valpola, NeurIPS 2017, eq. 5.
    """

    @checked
    def __init__(
        self,
        *,
        student: str = "student",
        teacher: str = "teacher",
        momentum: float = 0.999,
        copy: bool = True,
    ):
        super().__init__()
        if not 0 <= momentum <= 1:
            raise ValueError(f"`momentum` must be in [0, 1], got {momentum}")
        self.student = student
        self.teacher = teacher
        self.momentum = momentum
        self.copy = copy

    def on_train_begin(self, logs=None):
        """Check that the variables match."""
        self._pairs()
        self._first = True

    def on_epoch_begin(self, epoch, logs=None):
        """Copy the student where training begins."""
        self._done = 0
        if self._first and epoch == 0 and self.copy:
            self._move(0.0)
        self._first = False

    def on_train_batch_end(self, batch, logs=None):
        """Move the teacher."""
        steps = batch + 1 - self._done
        self._done = batch + 1
        self._move(self.momentum**steps)

    def _move(self, momentum):
        for student, teacher in self._pairs():
            teacher.assign(teacher + (1 - momentum) * (student - teacher))

    def _pairs(self):
        # On JAX, `self.model` writes the state of the last step back first.
        model = self.model
        mine, theirs = (
            self._variables(model, path)
            for path in (self.student, self.teacher)
        )
        if len(mine) != len(theirs):
            raise ValueError(
                f"`teacher` must have the student's {len(mine)} variables, "
                f"got {len(theirs)}"
            )
        for student, teacher in zip(mine, theirs, strict=True):
            if tuple(student.shape) != tuple(teacher.shape):
                raise ValueError(
                    f"`teacher`: {teacher.path} must have the student's shape "
                    f"{tuple(student.shape)}, got {tuple(teacher.shape)}"
                )
        return list(zip(mine, theirs, strict=True))

    def _variables(self, model, path):
        variables = find_layer(model, path).variables
        return [v for v in variables if "float" in str(v.dtype)]
