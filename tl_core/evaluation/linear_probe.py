"""Which beginning suits these pictures: every usable weight source, asked before anything is trained.

A logistic regression on the frozen features of each source is cross-validated by groups, and so are
features that do not see (`baselines`). Pictures kept back for the test take no part: what is chosen here
would be chosen on them. The penalty is chosen inside each training part, for all features alike: one
penalty for 64 numbers and for 1,280 would favour one of them.

Source of the method: Alain & Bengio 2016, "Understanding intermediate layers using linear classifier
probes", arXiv:1610.01644.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from tl_core.base.errors import WeightsError, WeightsUnavailable
from tl_core.data.prepare import Prepared
from tl_core.evaluation import metrics, paired
from tl_core.evaluation.baselines import BASELINES
from tl_core.evaluation.label_issues import STRENGTH, fewest_groups, grouped_folds, pooled_features
from tl_core.models.weights import sources

PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1)
"""C of the regression, of which the best of each training part is taken."""
INNER_FOLDS = 3

OnStep = Callable[[str, int, int], None]
"""(source, done, total) of the whole probe, in pictures looked at; told as soon as a source's turn comes."""


@dataclass(frozen=True)
class ProbeRow:
    source: str
    # a weight source or a baseline
    backbone: str | None
    # None for a baseline
    balanced_accuracy: float
    interval: list[float]
    # 95 %, over groups
    answers: np.ndarray
    # int64 (N,), the class said of each picture by a regression that saw no copy of it

    @property
    def is_baseline(self) -> bool:
        return self.backbone is None


@dataclass(frozen=True)
class Probed:
    rows: list[ProbeRow]
    # best first; of equals the one that is named first in `sources.SOURCES`
    unusable: dict[str, WeightsError]
    # by source
    num_pictures: int
    num_kept_back: int
    # of the test part
    num_folds: int
    truth: np.ndarray
    groups: np.ndarray
    # int64 (N,)

    @property
    def num_groups(self) -> int:
        return len(np.unique(self.groups))

    @property
    def recommended(self) -> ProbeRow | None:
        """The best of the pre-trained; None: there is none."""
        return next((row for row in self.rows if not row.is_baseline and row.source != "random"), None)

    @property
    def baseline(self) -> ProbeRow:
        return next(row for row in self.rows if row.is_baseline)

    @property
    def second(self) -> ProbeRow | None:
        """The best of the other weight sources."""
        found = (row for row in self.rows if not row.is_baseline and row is not self.recommended)
        return next(found, None)

    @property
    def beats_baseline(self) -> bool:
        return (self.points_over(self.baseline) or 0) > 0

    def points_over(self, other: ProbeRow | None) -> float | None:
        """Percentage points by which the recommended is ahead; None: there are not two to compare."""
        best = self.recommended
        return (best.balanced_accuracy - other.balanced_accuracy) * 100 if best and other else None

    def chance_over(self, other: ProbeRow) -> float:
        """How often a lead as large over `other` comes by chance; one picture of each group is counted."""
        assert self.recommended is not None
        first = np.unique(self.groups, return_index=True)[1]
        return paired.compare(self.truth[first], other.answers[first], self.recommended.answers[first]).chance


def probe(prepared: Prepared, *, seed: int = 0, on_step: OnStep | None = None) -> Probed:
    """Every weight source that lies on this machine, and the baselines. Asks no network.

    A source that turns out damaged is named among the unusable.
    """
    kept = np.setdiff1d(np.arange(len(prepared.labels)), prepared.split.test)
    images, labels, groups = prepared.images[kept], prepared.labels[kept], prepared.groups[kept]
    found = sources.availability()
    unusable: dict[str, WeightsError] = {
        one.source: WeightsUnavailable(source=one.source, reason=one.reason, detail=one.detail)
        for one in found
        if not one.is_usable
    }
    usable = [one.source for one in found if one.is_usable]
    steps = len(usable) + len(BASELINES)

    def show(number: int, source: str) -> Callable[[int, int], None]:
        def step(done: int, total: int) -> None:
            if on_step:
                on_step(source, number * total + done, steps * total)

        return step

    def row(source: str, backbone: str | None, features: np.ndarray) -> ProbeRow:
        answers = unseen_answers(features, labels, groups, seed)
        sure = np.eye(len(prepared.dataset.classes))[answers]
        scores = metrics.evaluate(labels, sure, prepared.dataset.classes, None, answers, groups)
        interval = scores["intervals"]["balanced_accuracy"]
        return ProbeRow(source, backbone, scores["balanced_accuracy"], interval, answers)

    rows = []
    for number, source in enumerate(usable):
        show(number, source)(0, len(images))
        try:
            choice = sources.choose(source)
            features = pooled_features(images, choice, "timm", show(number, source))
        except WeightsError as error:
            unusable[source] = error
            continue
        rows.append(row(source, choice.backbone, features))
    for number, (name, describe) in enumerate(BASELINES.items(), len(usable)):
        show(number, name)(0, len(images))
        features = np.stack([describe(np.ascontiguousarray(image)) for image in images])
        rows.append(row(name, None, features))
        show(number, name)(len(images), len(images))
    return Probed(
        rows=sorted(rows, key=lambda row: -row.balanced_accuracy),
        unusable=unusable,
        num_pictures=len(kept),
        num_kept_back=len(prepared.labels) - len(kept),
        num_folds=grouped_folds(labels, groups, seed).n_splits,
        truth=labels,
        groups=groups,
    )


def unseen_answers(features: np.ndarray, labels: np.ndarray, groups: np.ndarray, seed: int) -> np.ndarray:
    """int64 (N,): the class of each picture by a regression that saw neither it nor a copy of it.

    Shapes: features (N, F), labels (N,) of 0 … C-1, groups (N,). Each class has two groups at least.
    """
    answers = np.empty_like(labels)
    # small products: threads would only wait for each other (two of them took 15 CPU seconds, one 0.4)
    with threadpool_limits(1, "blas"):
        for seen, unseen in grouped_folds(labels, groups, seed).split(features, labels, groups):
            judge = _fitted(features[seen], labels[seen], groups[seen], seed)
            answers[unseen] = judge(features[unseen])
    return answers


def _fitted(
    features: np.ndarray, labels: np.ndarray, groups: np.ndarray, seed: int
) -> Callable[[np.ndarray], np.ndarray]:
    """Standardised logistic regression -> its answers to other features, (M, F) -> (M,).

    Shapes: features (N, F), labels, groups (N,).
    """
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    parts = []
    if fewest_groups(labels, groups) > 1:
        inner = grouped_folds(labels, groups, seed, INNER_FOLDS)
        parts = list(inner.split(features, labels, groups))
    classes = np.unique(labels)
    if len(classes) == 1:  # groups of mixed classes can leave only one
        return lambda others: np.full(len(others), classes[0])
    regression = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=1000)
    if parts and all(len(np.unique(labels[part])) == len(classes) for both in parts for part in both):
        regression = LogisticRegressionCV(
            Cs=list(PENALTIES),
            cv=parts,
            class_weight="balanced",
            scoring="balanced_accuracy",
            l1_ratios=(0.0,),
            use_legacy_attributes=False,
            max_iter=1000,
        )
    # PCA keeps all: a rotation changes nothing for this penalty, and of 4,356 numbers 300 are left
    return make_pipeline(StandardScaler(), PCA(), regression).fit(features, labels).predict
