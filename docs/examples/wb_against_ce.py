"""
# Weight balancing against cross entropy

Cross entropy on a long tail gives frequent classes long class vectors. Weight
balancing (WB) first keeps all weights small by strong weight decay, then trains
the classifier again with its class vectors inside of a ball. Both run here on
the handwritten digits that scikit-learn ships, cut to 104 to 2 images a class.
"""

import matplotlib.pyplot as plt
import numpy as np

import keras_lt

data = keras_lt.data.load("digits_lt")
print("training images a class:", data.class_counts)

"""
## Train

`runs.train` does what the command `keras-lt train` does, and gives back the
folder of the run, its result and its model. The same call with the same folder
goes on where it was stopped.
"""

common = {"width": 8, "lr": 0.05}
ce = keras_lt.runs.train(
    "ce",
    hyperparameters={**common, "epochs": (30,)},
    workdir="ce",
    plots=False,
)
wb = keras_lt.runs.train(
    "wb",
    hyperparameters={**common, "epochs": (30, 8)},
    workdir="wb",
    plots=False,
)

"""
## What changed

Accuracy on the test images, which are balanced: of all of them, and of those of
frequent, medium and rare classes. WB has a row for each of its stages. So few
digits say little about which method is better (seeds differ as much), but they
show what the second stage does: it trades a little of the frequent classes for
more of the rare ones.
"""

stages = {f"wb, {name}": x for name, x in wb.result["stages"].items()}
for name, stage in {"ce": ce.result["stages"]["train"], **stages}.items():
    shown = [f"{key} {100 * x:.1f}" for key, x in stage["accuracy"].items()]
    print(f"{name:15}", *shown)

"""
The length of each class vector, divided by the longest. Under cross entropy it
follows the number of training images.
"""

norms = {
    "cross entropy": ce.result["stages"]["train"]["class_norms"],
    "WB, features": wb.result["stages"]["features"]["class_norms"],
    "WB, classifier": wb.result["stages"]["classifier"]["class_norms"],
}
figure, axes = plt.subplots(figsize=(6, 3))
for name, values in norms.items():
    axes.plot(np.divide(values, max(values)), marker="o", label=name)
axes.set(xlabel="class, from frequent to rare", ylabel="relative norm")
axes.set_ylim(0, 1.05)
axes.legend()

"""
## In your own code

Both parts of WB are plain Keras: `SGD(l2=...)` is the coupled decay of its
first stage, and `ClassMaxNorm` the ball of its second.
"""

radius = keras_lt.stats.max_norm_radius(wb.model.layers[-1].kernel)
constraint = keras_lt.constraints.ClassMaxNorm(radius)
optimizer = keras_lt.optimizers.SGD(0.05, momentum=0.9, l2=5e-3)
print(constraint.get_config(), optimizer.name)
