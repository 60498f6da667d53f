"""Labels that are likely to be wrong."""

import importlib.util

import numpy as np

FOLDS = 5
MOST = 20_000  # images
FEATURES = 40


def is_possible() -> bool:
    """Whether cleanlab is installed."""
    return importlib.util.find_spec("cleanlab") is not None


def suspects(features: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Positions of images whose label is likely wrong, the likeliest first.

    Probabilities come from a logistic regression of the principal components
    of the features, of which each part of the images is predicted by the
    others. Classes with less than two images are left out.

    Args:
        features: `(N, F)`, such as pixels of small copies.
        labels: Class ids `(N,)`.

    Raises:
        ImportError: if cleanlab is not installed.

    Source: Northcutt et al., JAIR 2021 (confident learning).
    """
    from cleanlab.filter import find_label_issues

    number = np.bincount(labels)
    kept = np.flatnonzero(number[labels] > 1)[:MOST]
    classes, ids = np.unique(labels[kept], return_inverse=True)
    if len(classes) < 2:
        return kept[:0]
    found = find_label_issues(
        ids,
        cross_validated(features[kept], ids),
        return_indices_ranked_by="self_confidence",
        n_jobs=1,  # it would fork, which JAX does not bear
    )
    return kept[np.asarray(found, "int64")]


def cross_validated(features: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Probabilities `(N, C)` by models that have not seen the image.

    Args:
        features: `(N, F)`.
        labels: Class ids `(N,)` from 0 to C - 1, each twice or more.
    """
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    folds = min(FOLDS, int(np.bincount(labels).min()))
    rest = len(labels) - -(-len(labels) // folds)
    model = make_pipeline(
        PCA(min(FEATURES, features.shape[1], rest), random_state=0),
        StandardScaler(),
        LogisticRegression(max_iter=1000),
    )
    parts = StratifiedKFold(folds, shuffle=True, random_state=0)
    return cross_val_predict(
        model, features, labels, cv=parts, method="predict_proba"
    )
