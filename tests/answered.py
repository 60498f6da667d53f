"""A model's answers, made up: right more often the more images a class has."""

import numpy as np

from keras_lt.reporting import Subject

COUNTS = (150, 60, 30, 12, 6, 3)
NAMES = ("ant", "bee", "<b>cat</b>", "dog", "emu", "fox")


def subject(seed=0, number=120, **more):
    random = np.random.default_rng(seed)
    labels = np.tile(np.arange(6), number // 6)
    logits = random.normal(size=(len(labels), 6)) + 2 * np.eye(6)[labels]
    logits += np.log(np.array(COUNTS) / sum(COUNTS))
    images = random.integers(0, 256, (len(labels), 8, 8, 3), "uint8")
    values = {
        "name": f"model {seed}",
        "logits": logits.astype("float32"),
        "labels": labels,
        "class_counts": COUNTS,
        "class_names": NAMES,
        "images": images,
        "norms": {"features": [6, 5, 4, 3, 2, 1.0], "head": [1.0] * 6},
        "epochs": [
            {"stage": "features", "loss": 2.0, "accuracy": 0.25},
            {"stage": "features", "loss": 1.0, "accuracy": 0.5},
            {"stage": "head", "loss": 0.5, "accuracy": 0.75},
        ],
        "facts": {"Cost": {"parameters": "1,234"}},
    }
    return Subject(**values | more)
