"""
# ResLT: a residual branch for rarer classes

ResLT has three branches over one network. The first learns from images of all
classes, the second from those of medium and rare classes, the third from those
of rare ones alone. Their logits are added: each branch corrects those before
it.
"""

import matplotlib.pyplot as plt
import numpy as np

import keras_lt

run = keras_lt.runs.train(
    "reslt",
    hyperparameters={"width": 8, "epochs": (30,)},
    workdir="reslt",
    plots=False,
)

"""
## What each branch adds

`result.json` holds the accuracy of each branch by itself and of sums of them.
"""

views = run.result["stages"]["train"]["views"]
for name, accuracy in views.items():
    print(
        f"{name:12}", *[f"{key} {100 * x:.1f}" for key, x in accuracy.items()]
    )

figure, axes = plt.subplots(figsize=(6, 3))
groups = ("many", "medium", "few")
for i, name in enumerate(("head", "head+medium", "fused")):
    heights = [views[name][group] for group in groups]
    axes.bar(np.arange(3) + 0.25 * (i - 1), heights, 0.25, label=name)
axes.set_xticks(range(3), groups)
axes.set_ylabel("test accuracy")
axes.legend()

"""
## The loss

`ResLTLoss` takes the logits of the three branches, `(B, 3, C)`. Its `beta`
weighs the fused answer, which all classes teach, against the branches, which
each learn from their own. Here an image of a frequent class and one of a rare
class have the same logits; the rare one is a term of all three branches.
"""

counts = (150, 60, 5)  # many, medium, few
logits = np.zeros((2, 3, 3), "float32")
labels = np.array([0, 2])
for beta in (0.0, 0.9, 1.0):
    loss = keras_lt.losses.ResLTLoss(counts, beta=beta, reduction=None)
    print(f"beta {beta}:", np.round(np.asarray(loss(labels, logits)), 3))

"""
## The model that is served

It fuses inside, and is a plain Keras model of images to logits.
"""

print(run.model.input_shape, run.model.output_shape)
