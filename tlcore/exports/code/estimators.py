"""The heads in plain scikit-learn: for each the function that a script fits it with."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Written:
    """One head as a function ``name(x, y, seed, **settings)`` that returns a fitted estimator.

    Attributes
    ----------
    imports : lines that its code needs
    scales : whether it uses ``to_mean_length``
    """

    code: str
    imports: tuple[str, ...]
    words: str
    scales: bool = False


TO_MEAN_LENGTH = '''def to_mean_length(x):
    """Return the step that multiplies all features by one factor, so that their mean length is 1."""
    factor = np.float32(1 / np.linalg.norm(x, axis=1).mean())
    return FunctionTransformer(lambda rows: rows * factor)'''

_SCALING = ("from sklearn.pipeline import make_pipeline", "from sklearn.preprocessing import FunctionTransformer")


def _chain(estimator: str) -> str:
    return (
        f"    classifier = {estimator}.set_params(**settings)\n    return make_pipeline(to_mean_length(x), classifier)"
        ".fit(x, y)"
    )


WRITTEN: dict[str, Written] = {
    "linear_svm": Written(
        "def linear_svm(x, y, seed, **settings):\n" + _chain("LinearSVC(C=1.0, max_iter=5000, random_state=seed)"),
        ("from sklearn.svm import LinearSVC", *_SCALING),
        "A linear SVM draws one straight boundary for each class, with the widest margin.",
        scales=True,
    ),
    "rbf_svm": Written(
        "def rbf_svm(x, y, seed, **settings):\n"
        "    pca = PCA(min(120, x.shape[1], len(x) - 1), random_state=seed)\n"
        "    gamma = 1 / (x.shape[1] * max(x.var(), 1e-12))  # of the features before the PCA\n"
        "    svc = SVC(C=10.0, gamma=gamma, random_state=seed)\n"
        "    return make_pipeline(pca, svc).set_params(**settings).fit(x, y)",
        (
            "from sklearn.decomposition import PCA",
            "from sklearn.pipeline import make_pipeline",
            "from sklearn.svm import SVC",
        ),
        "An SVM under a Gaussian kernel compares an image with the nearest training images: its boundary may bend.",
    ),
    "random_forest": Written(
        "def random_forest(x, y, seed, **settings):\n"
        "    forest = RandomForestClassifier(n_estimators=200, n_jobs=-1, random_state=seed)\n"
        "    return forest.set_params(**settings).fit(x, y)",
        ("from sklearn.ensemble import RandomForestClassifier",),
        "A random forest lets many trees vote, each grown on a resample of the images.",
    ),
    "logistic_regression": Written(
        "def logistic_regression(x, y, seed, **settings):\n"
        "    tol = 1e-3 * min(1.0, 2000 / x.shape[1])\n"
        + _chain("LogisticRegression(C=10.0, max_iter=300, tol=tol, random_state=seed)"),
        ("from sklearn.linear_model import LogisticRegression", *_SCALING),
        "Logistic regression is a softmax layer alone, fitted to its optimum.",
        scales=True,
    ),
    "knn": Written(
        "def knn(x, y, seed, **settings):\n"
        "    k = min(5, max(1, len(x) // (y.max() + 1)))\n"
        '    nearest = KNeighborsClassifier(k, weights="distance", algorithm="brute", n_jobs=-1)\n'
        "    return nearest.set_params(**settings).fit(x, y)",
        ("from sklearn.neighbors import KNeighborsClassifier",),
        "The nearest neighbours learn nothing: the closest training images answer.",
    ),
    "dense": Written(
        "def dense(x, y, seed, **settings):\n"
        "    network = MLPClassifier(\n"
        "        (64,), batch_size=min(64, len(x)), learning_rate_init=1e-3, random_state=seed\n"
        "    ).set_params(**settings)\n"
        "    scaling = to_mean_length(x)\n"
        "    for epoch in range(1, 61):  # one epoch at a time, each in another order\n"
        "        network.set_params(random_state=seed + epoch)\n"
        "        network.partial_fit(scaling.transform(x), y, classes=np.arange(y.max() + 1))\n"
        "    return make_pipeline(scaling, network)",
        ("from sklearn.neural_network import MLPClassifier", *_SCALING),
        "A dense layer of 64 units and a softmax are what a network's own head is made of.",
        scales=True,
    ),
}
