"""How fast inference is that skips experts."""

import pathlib
import tempfile

import keras
import numpy as np

from keras_lt import models
from keras_lt.models import anatomy
from keras_lt.problem import Problem
from keras_lt.runs.timing import medians, samples

SHARES = (0.1, 0.3, 0.5, 1.0)  # of images that ask the second expert
BATCHES = (1, 32, 256)


def measure_routing(flags) -> dict:
    """Milliseconds a batch: one network, all experts, and some of them."""
    plain, routed, images = _networks(flags, flags.batch_size or 256)
    every = models.ensemble(routed)
    gathered, used = models.gathered(routed), models.experts_used(routed)
    router, first = _first_router(routed, images)

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


def measure_serving(flags) -> dict:
    """Milliseconds of a request to SavedModels, by batch and quantile."""
    import tensorflow as tf

    from keras_lt.export import export

    plain, routed, images = _networks(flags, max(BATCHES))
    router, first = _first_router(routed, images)
    router.readout_bias.assign(-np.median(first))  # half of the images pass
    counts = (100,) * 100
    with tempfile.TemporaryDirectory() as folder:
        served = {}
        for name, model in {
            "single": plain,
            "routed": models.early_exit(routed),
        }.items():
            path = pathlib.Path(folder) / name
            export(model, path, class_counts=counts, images=images[:32])
            served[name] = tf.saved_model.load(str(path))
    endpoints = {
        "always_on": served["routed"].serve,
        "routed": served["routed"].serve_routed,
        "single": served["single"].serve,
    }
    found = {}
    for batch in BATCHES:
        asked = tf.constant(images[:batch])
        times = samples(
            {
                name: lambda run=run, asked=asked: run(asked)["logits"].numpy()
                for name, run in endpoints.items()
            },
            flags.rounds,
        )
        for name, values in times.items():
            for quantile in (50, 95):
                key = f"{name}_batch_{batch}_p{quantile}_ms"
                found[key] = 1e3 * float(np.percentile(values, quantile))
    used = endpoints["routed"](asked)["experts_used"]
    found["routed_experts"] = float(np.mean(used))
    return found


def _networks(flags, batch):
    """One plain network, a routed one, and images."""
    size = flags.image_size or 32
    problem = Problem((size, size, 3), (100,) * 100)
    images = np.random.default_rng(0).integers(
        0, 256, (batch, size, size, 3), "uint8"
    )
    plain = models.classifier(flags.backbone, problem)
    routed = models.add_router(
        models.multi_expert(flags.backbone, problem), top_k=30
    )
    return plain, routed, images


def _first_router(routed, images):
    """The routers, without bias, and what the first one says of images."""
    router = anatomy.router(routed)
    router.readout_bias.assign(0.0)
    view = keras.Model(routed.inputs[0], router.output)
    return router, np.asarray(view.predict_on_batch(images))[:, 0]
