"""How fast inference is that skips experts."""

import keras
import numpy as np
from timing import medians

from keras_lt import models, training

SHARES = (0.1, 0.3, 0.5, 1.0)  # of images that ask the second expert


def measure_routing(flags) -> dict:
    """Milliseconds a batch: one network, all experts, and some of them."""
    batch, size = flags.batch_size or 256, flags.image_size or 32
    problem = training.Problem((size, size, 3), (100,) * 100)
    images = np.random.default_rng(0).integers(
        0, 256, (batch, size, size, 3), "uint8"
    )
    plain = models.classifier(flags.backbone, problem)
    routed = models.add_router(
        models.multi_expert(flags.backbone, problem), top_k=30
    )
    router = routed.get_layer("router")
    every = models.ensemble(routed)
    gathered, used = models.gathered(routed), models.experts_used(routed)
    router.readout_bias.assign(0.0)
    view = keras.Model(routed.inputs[0], router.output)
    first = np.asarray(view.predict_on_batch(images))[:, 0]

    def skip(share):
        def run():
            # A shift of all routers, so that the first has this share pass.
            router.readout_bias.assign(-np.quantile(first, 1 - share))
            np.asarray(gathered.predict_on_batch(images)["logits"])

        return run

    contenders = {
        "all_experts": lambda: np.asarray(every.predict_on_batch(images)),
        "one_network": lambda: np.asarray(plain.predict_on_batch(images)),
    }
    contenders |= {f"routed_{share:g}": skip(share) for share in SHARES}
    found = medians(contenders, flags.rounds)
    result = {f"{name}_ms": 1e3 * value for name, value in found.items()}
    for share in SHARES:
        skip(share)()
        mean = np.mean(used.predict_on_batch(images))
        result[f"routed_{share:g}_experts"] = float(mean)
    return result
