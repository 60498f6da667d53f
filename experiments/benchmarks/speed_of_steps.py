"""How fast networks train: ours, Keras's own `fit`, one scan, and PyTorch."""

import contextlib
import functools
import importlib.util
import os
import time

import keras

from benchmarks import workload
from benchmarks.child import Absent, Child, timed
from benchmarks.race import Race
from keras_lt import models, training
from keras_lt.devices import on_accelerator

SEEDS = 3
# In order of worth: what a run that is cut off should have told.
CONTENDERS = {
    ("overhead", "cpu"): (
        *("fit", "scan", "stock_fit", "torch_channels_last", "untuned_fit"),
        *("torch_eager", "default_fit", "torch_compile"),
    ),
    ("train", "cpu"): (
        *("fit", "torch_channels_last", "untuned_fit", "stock_fit"),
        "torch_compile",
    ),
    ("overhead", "accelerator"): (
        *("fit", "scan", "torch_compile", "torch_channels_last", "stock_fit"),
        *("default_fit", "torch_eager"),
    ),
    ("train", "accelerator"): (
        *("fit", "torch_channels_last", "torch_compile", "3_seeds", "scan"),
        *("3_seeds_in_turn", "stock_fit", "device_fit", "torch_eager"),
    ),
}
# What takes a CPU minutes a step, what a GPU has no memory for, what is less
# worth than the time it takes.
ONLY_NAMED = {
    "overhead": ("untuned_fit",),
    "train": (
        *("untuned_fit", "device_fit", "torch_eager", "scan"),
        *("3_seeds", "3_seeds_in_turn"),
    ),
}
NEED_JAX = ("scan", "device_fit", "3_seeds", "3_seeds_in_turn")
STEPS = {  # of a turn
    ("overhead", "cpu"): 50,
    ("train", "cpu"): 2,
    ("overhead", "accelerator"): 50,
    ("train", "accelerator"): 84,  # an epoch of CIFAR-100-LT
}
TUNED_BY = ("TF_ENABLE_ONEDNN_OPTS", "XLA_FLAGS")


def measure_overhead(flags) -> dict:
    """Milliseconds of a step of `fit`, against one compiled loop."""
    options = _options("overhead", flags, size=4, batch=2)
    work = workload.make(options)
    default = training.default_steps(options.steps)
    entries = {
        "fit": work.ours,
        "default_fit": lambda: work.fit(default),
        "stock_fit": lambda: work.fit(None),
        "scan": work.scan,
    }
    # One thread: the others would only wait for each other.
    torch = {"method": "ce", "threads": 1, "workers": 0}
    found = _race(flags, work, entries, torch, _milliseconds(options), "ms")
    return {f"{name}_ms": value for name, value in found.items()}


def measure_train(flags) -> dict:
    """Images a second in training, at real sizes, augmentation included."""
    options = _options("train", flags, size=32, batch=128)
    work = workload.make(options)
    entries = {
        "fit": work.ours,
        "stock_fit": lambda: work.fit("numpy", 1),
        "device_fit": lambda: work.fit("device", work.fused),
        "scan": work.scan,
        "3_seeds": lambda: work.side_by_side(SEEDS, vectorised=True),
        "3_seeds_in_turn": lambda: work.side_by_side(SEEDS, vectorised=False),
    }

    def speed(name, seconds):
        networks = SEEDS if name.startswith("3_seeds") else 1
        return networks * options.steps * options.batch / seconds

    torch = {"method": options.method, "workers": os.cpu_count()}
    found = _race(flags, work, entries, torch, speed, "images/s")
    # Forward, and twice as much backward; an operation is two of these.
    flops = 6 * models.count_macs(work.model()) * [*found.values()][0]
    peak = _matmul_peak()
    return {f"{name}_per_s": value for name, value in found.items()} | {
        "achieved_flops": flops,
        "matmul_flops": peak,
        "share_of_matmul": flops / peak,
    }


def _place():
    return "accelerator" if on_accelerator() else "cpu"


def _options(what, flags, *, size, batch):
    if flags.precision not in ("float32", "mixed_bfloat16"):
        raise ValueError(
            "--precision must be float32 or mixed_bfloat16, got "
            f"{flags.precision!r}"
        )
    return workload.Options(
        what=what,
        method=flags.method,
        backbone=flags.backbone,
        size=flags.image_size or size,
        batch=flags.batch_size or batch,
        steps=flags.steps or STEPS[what, _place()],
        precision=flags.precision,
    )


def _milliseconds(options):
    return lambda name, seconds: 1e3 * seconds / options.steps


def _race(flags, work, entries, torch, value, unit):
    """Let the chosen contenders race; return their values."""
    with contextlib.ExitStack() as children:
        ours = {
            name: lambda make=make: timed(make())
            for name, make in entries.items()
        }
        ours["untuned_fit"] = lambda: _untuned(work.options, children)
        every = ours | _torch(work, children, **torch)
        trace = _profile(flags.trace) if flags.trace else None
        race = Race(
            _chosen(work.options.what, every, flags), value, unit, trace
        )
        return race.run(flags.rounds, flags.minutes)


def _chosen(what, entries, flags):
    """The contenders that were named, or those of the device, by worth."""
    usual = CONTENDERS[what, _place()]
    known = [*dict.fromkeys((*usual, *ONLY_NAMED[what]))]
    if not workload.on_jax():
        known = [name for name in known if name not in NEED_JAX]
    names = flags.contenders or [name for name in usual if name in known]
    if missing := [name for name in names if name not in known]:
        raise ValueError(f"--contenders must be of {known}, got {missing}")
    return {name: entries[name] for name in names}


def _untuned(options, children):
    """Ours in a process that leaves the backend as it is."""
    kept = {k: v for k, v in os.environ.items() if k not in TUNED_BY}
    settings = vars(options)
    child = Child("workload", settings, kept | {"KERAS_LT_CPU": "off"})
    children.callback(child.close)
    return lambda: child.turn("ours")


def _torch(work, children, *, method, workers, threads=None):
    """Contenders of PyTorch: they share a process, begun for the first one."""

    @functools.cache
    def begin():
        if not importlib.util.find_spec("torch"):
            raise Absent("PyTorch is not installed")
        options = work.options
        settings = {
            "method": method,
            "class_counts": work.counts,
            "depth": int(options.backbone.removeprefix("resnet")),
            "size": options.size,
            "batch_size": options.batch,
            "steps": options.steps,
            "workers": workers,
            "threads": threads,
            "bfloat16": options.precision == "mixed_bfloat16",
        }
        child = Child("torch_reference", settings)
        children.callback(child.close)
        return child

    def contender(name):
        child = begin()
        return lambda: child.turn(name)

    names = ("torch_eager", "torch_channels_last", "torch_compile")
    return {name: functools.partial(contender, name) for name in names}


@contextlib.contextmanager
def _profile(folder):
    """Write what the profiler of the backend sees."""
    if workload.on_jax():
        import jax

        with jax.profiler.trace(folder):
            yield
        return
    import tensorflow as tf

    with tf.profiler.experimental.Profile(folder):
        yield


def _matmul_peak(rounds=5):
    """Operations a second of a large product of matrices, the best of some."""
    size, times, dtype = 2048, [], "float32"
    if on_accelerator():
        size, dtype = 8192, keras.config.dtype_policy().compute_dtype
    matrix = keras.ops.ones((size, size), dtype) / size
    for _ in range(rounds + 1):
        start = time.perf_counter()
        product = matrix
        for _ in range(4):
            product = keras.ops.matmul(product, matrix)
        float(product[0, 0])
        times.append(time.perf_counter() - start)
    return 4 * 2 * size**3 / min(times[1:])
