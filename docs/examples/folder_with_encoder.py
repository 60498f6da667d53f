"""
# A folder of photographs with an encoder, and its report

Your own images lie in a folder for each class. An encoder that was trained
before takes the place of the first convolutions; here it is the one of a run on
other images, saved as a `.keras` file, so that the page is built without a
network. The last step is a report: one HTML file for people.
"""

import pathlib

from PIL import Image
from sklearn.datasets import load_digits

import keras_lt

"""
## The folder

Scans of the digits 0 to 4 as image files: many of the first, few of the last.
Files may have any size and format.
"""

digits = load_digits()


def write(root, counts):
    """A folder of each digit with so many images of it."""
    for digit, count in counts.items():
        folder = pathlib.Path(root, str(digit))
        folder.mkdir(parents=True)
        scans = digits.images[digits.target == digit][:count]
        for i, scan in enumerate((scans * 255 / 16).astype("uint8")):
            Image.fromarray(scan).resize((20, 24)).save(folder / f"{i}.png")


write("photos", {0: 100, 1: 60, 2: 36, 3: 20, 4: 12})

"""
## An encoder of before

`init_from` takes the encoder of a `.keras` file (or a PyTorch state dict in
torchvision's layout) and leaves its classifier. The file is that of a run on
the digits 5 to 9, without a tail.
"""


def train(method, folder, epochs, **options):
    """Train on a folder."""
    settings = {"backbone": "resnet8", "batch_size": 20, "lr": 0.02}
    return keras_lt.runs.train(
        method,
        hyperparameters={**settings, "epochs": epochs},
        dataset="folder",
        data_dir=folder,
        image_size=12,
        augment="none",
        plots=False,
        workdir=f"run-{folder}",
        **options,
    )


write("others", dict.fromkeys(range(5, 10), 100))
before = train("ce", "others", (12,))

"""
## Train

Some images of each class are held out to test on. The second stage, `la`,
subtracts the log priors, which costs nothing.
"""

run = train(
    "ce", "photos", (12,), init_from=str(before.folder.model_file), then="la"
)
for name, stage in run.result["stages"].items():
    print(f"{name:8}", f"balanced {100 * stage['accuracy']['balanced']:.1f}")

"""
## The report

`keras-lt report RUN` writes it of a finished run; this is for any Keras model.
"""

data = keras_lt.data.load("folder", data_dir="photos", image_size=12)
keras_lt.report(
    run.model,
    *data.test,
    data.class_counts,
    class_names=data.class_names,
    path="digits.html",
)
