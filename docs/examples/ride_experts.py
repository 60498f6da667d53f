"""
# RIDE: experts that differ, and a router that asks few of them

RIDE trains several experts over a shared trunk. A loss keeps them different;
their mean errs less often than each of them. Then routers learn whether the
next expert is worth its cost for an image.
"""

import matplotlib.pyplot as plt
import numpy as np

import keras_lt

run = keras_lt.runs.train(
    "ride",
    hyperparameters={"width": 8, "epochs": (16, 5, 2)},
    workdir="ride",
    plots=False,
)

"""
## Each expert alone, and together

The first two stages train the experts, the second one with class weights. The
accuracy of each after it, and of their mean:
"""

views = run.result["stages"]["reweighted"]["views"]
for name, accuracy in views.items():
    print(
        f"{name:10}", *[f"{key} {100 * x:.1f}" for key, x in accuracy.items()]
    )

figure, axes = plt.subplots(figsize=(6, 3))
groups = ("many", "medium", "few")
for i, (name, accuracy) in enumerate(views.items()):
    heights = [accuracy[group] for group in groups]
    axes.bar(np.arange(3) + 0.2 * i - 0.3, heights, 0.2, label=name)
axes.set_xticks(range(3), groups)
axes.set_ylabel("test accuracy")
axes.legend(ncols=4, loc="upper center", bbox_to_anchor=(0.5, 1.2))

"""
## What routing saves

The third stage trains the routers on training images that the first expert gets
wrong. Where there are next to none of them, as here, routers learn little, and
ask for one expert or for all. `macs` counts multiplications, where a plain
network has 1; larger data show what is to be gained ([the table of
`pos_weight`](../explanations/systems.md#ride)).
"""

routing = run.result["routing"]
print("images that use 1, 2, 3 experts:", routing["experts_used"])
for key in ("macs_one_expert", "macs", "macs_all_experts"):
    print(f"{key:17} {routing[key]:.2f}")

"""
`models.gathered` is the model for inference that skips experts; it answers as
the one that asks them and throws their answers away.
"""

images, labels = keras_lt.data.load("digits_lt").test
gathered = keras_lt.models.gathered(run.model)
answers = gathered.predict(images[:8], verbose=0)
print("logits:", answers["logits"].shape)
print("experts used:", answers["experts_used"])
