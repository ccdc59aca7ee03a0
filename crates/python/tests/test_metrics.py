"""Metrics on arrays of every kind, against definitions written out in NumPy."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from ckaad import metrics


def some(count: int = 2000, dtype: type = np.float64) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(7)
    labels = random.random(count) < 0.3
    # Rounded, so that there are ties.
    scores = np.round(random.normal(labels * 0.8, 1.0), 2).astype(dtype)
    return scores, labels


def auroc_by_pairs(scores: np.ndarray, labels: np.ndarray) -> float:
    difference = scores[labels][:, None].astype(np.float64) - scores[~labels][None, :]
    return float(((difference > 0) + 0.5 * (difference == 0)).mean())


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64])
def test_auroc_is_the_share_of_pairs_won(dtype: type) -> None:
    scores, labels = some(500)
    scores = (10 * scores).astype(dtype)
    assert metrics.auroc(scores, labels) == pytest.approx(auroc_by_pairs(scores, labels), abs=1e-12)


def test_any_layout_gives_the_same() -> None:
    scores, labels = some()
    expected = metrics.auroc(scores, labels)
    table = np.zeros((2, len(scores), 3))
    table[1, :, 2] = scores
    aligned = np.zeros(len(scores) * 8 + 1, dtype=np.uint8)[1:].view(np.float64)
    aligned[:] = scores
    for same in [table[1, :, 2], scores[::-1][::-1], aligned, scores.astype(">f8"), list(scores), tuple(scores)]:
        assert metrics.auroc(same, labels) == expected
    for same in [labels.astype(np.uint8), labels.astype(float), list(labels), labels[::-1][::-1], labels.astype(">i4")]:
        assert metrics.auroc(scores, same) == expected
    # A read-only array, as of a memory map.
    scores.flags.writeable = False
    assert metrics.auroc(scores, labels) == expected


def test_bytes_that_are_no_booleans_do_no_harm() -> None:
    scores, labels = some()
    odd = np.where(labels, 255, 0).astype(np.uint8).view(bool)
    assert metrics.auroc(scores, odd) == metrics.auroc(scores, labels)


def test_figures_of_a_known_set() -> None:
    scores, labels = np.array([0.1, 0.5, 0.25, 0.75], dtype=np.float32), [0, 0, 1, 1]
    assert metrics.auroc(scores, labels) == 0.75
    assert metrics.average_precision(scores, labels) == pytest.approx(5 / 6)
    best = metrics.oracle_f1_max(scores, labels)
    assert (best.f1, best.threshold, best.confusion.accuracy) == (0.8, 0.25, 0.75)
    part = metrics.partial_auroc(scores, labels, 0.5)
    assert (part.area, part.normalised) == (0.25, 0.5)
    curve = metrics.roc_curve(scores, labels)
    assert curve.fpr.tolist() == [0, 0, 0.5, 0.5, 1]
    assert curve.tpr.tolist() == [0, 0.5, 0.5, 1, 1]
    assert curve.thresholds.tolist() == [np.inf, 0.75, 0.5, 0.25, np.float32(0.1)]
    curve = metrics.precision_recall_curve(scores, labels)
    assert curve.precision.tolist() == [0.5, 2 / 3, 0.5, 1, 1]
    assert metrics.oracle_sensitivity_at_specificity(scores, labels, 0.9).sensitivity == 0.5
    assert metrics.oracle_specificity_at_sensitivity(scores, labels, 0.95).specificity == 0.5
    at = metrics.Confusion.at_threshold(scores, labels, 0.5)
    assert (at.tp, at.fp, at.tn, at.fn_, at.count) == (1, 1, 1, 1, 4)
    assert (at.sensitivity, at.specificity, at.f1) == (0.5, 0.5, 0.5)
    assert repr(at) == "Confusion(tp=1, fp=1, tn=1, fn=1)"


def test_thresholds_and_intervals() -> None:
    scores = [0.1, 0.4, 0.35, 0.8, 0.7, 0.2]
    labels = [False, False, True, True, True, False]
    found = metrics.auroc_delong(scores, labels)
    assert found.auroc == pytest.approx(8 / 9)
    assert found.standard_error == pytest.approx(0.157135, abs=1e-6)
    other = np.array([0.5, 0.4, 0.3, 0.6, 0.2, 0.1], dtype=np.float32)
    test = metrics.delong_test(scores, other, labels)
    assert test.p_value == pytest.approx(0.220671, abs=1e-6)
    assert not metrics.distinguishable(scores, other, labels)
    assert metrics.wilson_interval(0, 10) == (0.0, pytest.approx(0.2775, abs=1e-4))
    assert metrics.ThresholdRule.max_f1().fit(scores, labels) == 0.35
    assert metrics.ThresholdRule.youden().fit(scores, labels) == 0.35
    flagged = metrics.ThresholdRule.target_fpr(0.34).fit(scores, labels)
    assert 0.2 < flagged <= 0.4
    assert metrics.ThresholdRule.target_sensitivity(1.0).fit(scores, labels) == 0.35
    calibration = metrics.Calibration(np.arange(1.0, 40.0))
    promised = calibration.threshold(0.05)
    assert promised.rate == 2 / 40 and 38 < promised.value <= 38.5
    assert calibration.p_value(38.5) == 2 / 40
    assert calibration.p_value(np.array([[38.5], [0.0]])).tolist() == [[2 / 40], [1.0]]
    assert len(calibration) == 39 and calibration.scores.tolist() == list(range(1, 40))


def test_bootstrap_takes_names_and_functions() -> None:
    scores, labels = some(200)
    options = metrics.Bootstrap(resamples=50, seed=3)
    named = options.interval(scores, labels, "auroc")
    assert named == options.interval(scores, labels, metrics.auroc)
    own = options.interval(scores, labels, lambda s, l: metrics.auroc(s, l))
    assert named == own and named.low < named.estimate < named.high
    values = np.arange(1.0, 7.0)
    mean = options.interval_over(6, lambda drawn: values[drawn].mean())
    assert mean.estimate == 3.5
    with pytest.raises(ZeroDivisionError):
        options.interval(scores, labels, lambda s, l: 1 / 0)
    with pytest.raises(ValueError, match="number of resamples is 1"):
        metrics.Bootstrap(resamples=1).interval(scores, labels, "auroc")
    with pytest.raises(ValueError, match="metric must be"):
        options.interval(scores, labels, "accuracy")


@pytest.mark.parametrize(
    ("scores", "labels", "text"),
    [
        ([], [], "empty input: the metric of no samples is undefined"),
        ([1.0, 2.0], [True], "2 scores but 1 labels: give one label per score"),
        ([1.0, np.nan], [True, False], "score 1 is NaN: scores must be finite"),
        ([1.0, np.inf], [True, False], "score 1 is inf: scores must be finite"),
        ([1.0, 2.0], [True, True], "all 2 samples are anomalous: the metric needs both normal and anomalous ones"),
        ([[1.0, 2.0]], [True, False], "scores have 2 dimensions; they must have 1: ravel() them"),
        (["a", "b"], [True, False], "scores are of type <U1; they must be real numbers"),
        ([1.0, 2.0], [1, -1], "labels must be booleans, or 0 for normal and 1 for anomalous"),
    ],
)
def test_what_is_undefined_is_a_value_error(scores: list, labels: list, text: str) -> None:
    with pytest.raises(ValueError) as raised:
        metrics.auroc(scores, labels)
    assert str(raised.value) == text


def test_others_run_meanwhile() -> None:
    scores = np.random.default_rng(1).random(4_000_000)
    labels = np.arange(len(scores)) % 2 == 0
    counted, done = 0, threading.Event()

    def work() -> None:
        metrics.auroc(scores, labels)
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    while not done.is_set():
        counted += 1
    thread.join()
    # Were the interpreter held, the loop would turn a few times before and after.
    assert counted > 1000
