"""
# SSD: a teacher that is trained without balance, and rebalanced

Self Supervision to Distillation (SSD) has four stages:

1. *self_supervised*: a network learns from labels and, by contrast with a
   momentum encoder, from two crops of each image;
2. *soft_labels*: one factor for each class rebalances its answers, which become
   the soft labels of all training images;
3. *distill*: a new network with two heads learns the labels with one and the
   soft labels with the other;
4. *rescale*: one factor for each class again, for the head of the labels.
"""

import matplotlib.pyplot as plt

import keras_lt

run = keras_lt.runs.train(
    "ssd",
    hyperparameters={"width": 8, "epochs": (12, 4, 12, 4)},
    workdir="ssd",
    plots=False,
)

"""
## Stage by stage

Each row is the accuracy on the test images at the end of a stage. Stages two
and four train one number for each class; what they move, they move between
classes. So short a training of a method with four stages shows what they do,
not what they reach.
"""

for name, stage in run.result["stages"].items():
    shown = [f"{key} {100 * x:.1f}" for key, x in stage["accuracy"].items()]
    print(f"{name:16}", *shown)

figure, axes = plt.subplots(figsize=(6, 3))
for name, stage in run.result["stages"].items():
    axes.plot(stage["class_accuracy"], marker="o", label=name)
axes.set(xlabel="class, from frequent to rare", ylabel="test accuracy")
axes.legend()

"""
## The two heads of stage 3

The hard head learned from labels, the soft head from the teacher's answers:
"""

for name, accuracy in run.result["stages"]["distill"]["views"].items():
    print(f"{name:8}", *[f"{key} {100 * x:.1f}" for key, x in accuracy.items()])

"""
## In your own code

The contrast is a layer, `MomentumContrast`; the rescaling one, too: `LWS`; and
the distillation a loss on the logits of both heads, `HardSoftDistillation`.
"""

for part in (
    keras_lt.layers.MomentumContrast,
    keras_lt.layers.LWS,
    keras_lt.losses.HardSoftDistillation,
):
    print(f"{part.__name__:22} {part.__doc__.splitlines()[0]}")
