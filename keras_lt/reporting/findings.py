"""What the numbers of a model say, in sentences."""

import numpy as np

from keras_lt import evaluation
from keras_lt.reporting import words
from keras_lt.reporting.figures import Figures

GROUPS = (
    ("many", "few", "Classes with many training images: {}; with few: {}."),
    ("head", "tail", "The largest classes: {}; the smallest: {}."),
)


def findings(figures: Figures) -> list[str]:
    """What the numbers say, in sentences."""
    subject, found = figures.subject, figures.measured
    said = [
        f"Of all test images {words.percent(found['overall'])} are right; in "
        f"the mean over classes {words.percent(found['balanced'])}."
    ]
    for first, last, sentence in GROUPS:
        if {first, last} <= found.keys():
            ends = words.percent(found[first]), words.percent(found[last])
            said.append(sentence.format(*ends))
    recalls = evaluation.recalls(figures.counts)
    worst = int(np.nanargmin(recalls))
    sentence = (
        f"The weakest class is {subject.class_names[worst]}, with "
        f"{words.percent(recalls[worst])}"
    )
    if worst in figures.taken_for:
        other = subject.class_names[figures.taken_for[worst]]
        sentence += f"; most often it is taken for {other}"
    said += [sentence + ".", _about_confidence(figures)]
    if figures.expects_tail:
        said.append(
            "It answers for the tail of the training images. For other shares "
            "of the classes, re-weight it: move the slider, and serve it with "
            "that prior."
        )
    return said


def _about_confidence(figures: Figures) -> str:
    sure = figures.probabilities.max(1).mean()
    gap = sure - figures.measured["overall"]
    if abs(gap) < 0.02:
        return "It is about as sure as it is right."
    how = "surer than it is right" if gap > 0 else "less sure than it is right"
    text = (
        f"It is {how}: in the mean it says {words.percent(sure)}, and "
        f"{words.percent(figures.measured['overall'])} are right."
    )
    if figures.cooled is not None:
        error = evaluation.expected_calibration_error(
            figures.cooled, figures.subject.labels
        )
        text += (
            f" A temperature of {figures.temperature:.2f} takes the "
            f"calibration error from {words.percent(figures.measured['ece'])} "
            f"to {words.percent(float(error))}."
        )
    return text
