"""Writes src/metrics/testing/reference.json: what scikit-learn, scipy and COCO's algorithm give for small samples.

    pip install scikit-learn==1.9.1 scipy==1.17.1
    python scripts/metric-fixtures.py src/metrics/testing/reference.json

Scores are rounded to one digit where ties matter. Detection is computed by the algorithm of pycocotools' COCOeval
(Lin et al., 2014), written here anew with numpy for boxes without crowds and of any area.
"""

import json
import sys

import numpy as np
import scipy.stats
import sklearn.metrics as M

rng = np.random.default_rng(7)


def listed(x):
    return np.asarray(x, dtype=np.float64).round(6).tolist()


def several_labels():
    n, c = 60, 4
    truth = (rng.random((n, c)) < [0.5, 0.3, 0.15, 0.05]).astype(int)
    truth[0, 3] = 1
    scores = np.clip(0.35 * truth + rng.random((n, c)) * 0.7, 0, 1).round(1)
    called = (scores >= 0.5).astype(int)
    return {
        "truth": truth.tolist(),
        "scores": listed(scores),
        "macroF1": M.f1_score(truth, called, average="macro", zero_division=0),
        "microF1": M.f1_score(truth, called, average="micro"),
        "macroAuroc": M.roc_auc_score(truth, scores, average="macro"),
        "microAuroc": M.roc_auc_score(truth, scores, average="micro"),
        "aurocs": M.roc_auc_score(truth, scores, average=None).tolist(),
        "macroAveragePrecision": M.average_precision_score(truth, scores, average="macro"),
        "microAveragePrecision": M.average_precision_score(truth, scores, average="micro"),
        "averagePrecisions": M.average_precision_score(truth, scores, average=None).tolist(),
        "bestF1": [
            max(M.f1_score(truth[:, k], scores[:, k] >= t) for t in np.unique(scores[:, k])) for k in range(c)
        ],
    }


def numbers():
    truth = rng.normal(size=50).round(1)
    answer = (0.8 * truth + rng.normal(size=50) * 0.6 + 3).round(1)
    return {
        "truth": listed(truth),
        "answer": listed(answer),
        "rmse": float(np.sqrt(M.mean_squared_error(truth, answer))),
        "mae": float(M.mean_absolute_error(truth, answer)),
        "pearson": float(scipy.stats.pearsonr(truth, answer)[0]),
        "spearman": float(scipy.stats.spearmanr(truth, answer)[0]),
        "pearsonInterval": list(map(float, scipy.stats.pearsonr(truth, answer).confidence_interval())),
    }


def ranking():
    gains = rng.integers(0, 4, size=(12, 9)).astype(float)
    scores = (gains / 4 + rng.random((12, 9))).round(1)
    return {
        "gains": gains.tolist(),
        "scores": listed(scores),
        "ndcg": [M.ndcg_score(gains[i : i + 1], scores[i : i + 1]) for i in range(12)],
        "ndcg5": [M.ndcg_score(gains[i : i + 1], scores[i : i + 1], k=5) for i in range(12)],
    }


def classes():
    n, c = 80, 6
    truth = rng.integers(0, c, size=n)
    logits = rng.normal(size=(n, c))
    logits[np.arange(n), truth] += 1.2
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    confidence, right = p.max(1), p.argmax(1) == truth
    bins = 15
    error = 0.0
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    for b in range(bins):
        inside = place == b
        if inside.any():
            error += inside.mean() * abs(confidence[inside].mean() - right[inside].mean())
    logits = listed(logits)
    return {
        "truth": truth.tolist(),
        "logits": logits,
        "top1": M.top_k_accuracy_score(truth, logits, k=1, labels=range(c)),
        "top3": M.top_k_accuracy_score(truth, logits, k=3, labels=range(c)),
        "calibrationError": error,
    }


def overlap(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    area = lambda r: (r[2] - r[0]) * (r[3] - r[1])
    return shared / (area(a) + area(b) - shared)


def curve(images, category, threshold, most=100):
    """COCOeval.evaluateImg and .accumulate of one category and threshold: (recall, precision) by falling score."""
    found, positives = [], 0
    for truths, answers in images:
        gt = [t for t in truths if t["class"] == category]
        dt = sorted((d for d in answers if d["class"] == category), key=lambda d: -d["score"])[:most]
        positives += len(gt)
        taken = [False] * len(gt)
        for d in dt:
            best, place = min(threshold, 1 - 1e-10), -1
            for j, t in enumerate(gt):
                o = overlap(d["box"], t["box"])
                if taken[j] or o < best:
                    continue
                best, place = o, j
            if place >= 0:
                taken[place] = True
            found.append((d["score"], place >= 0))
    if positives == 0:
        return None
    order = np.argsort([-s for s, _ in found], kind="mergesort")
    tp = np.cumsum([found[i][1] for i in order]) if found else np.zeros(0)
    fp = np.cumsum([not found[i][1] for i in order]) if found else np.zeros(0)
    recall = tp / positives
    precision = tp / np.maximum(tp + fp, np.spacing(1))
    for i in range(len(precision) - 1, 0, -1):
        precision[i - 1] = max(precision[i - 1], precision[i])
    return recall, precision


def coco(images, category, threshold):
    c = curve(images, category, threshold)
    if c is None:
        return None
    recall, precision = c
    places = np.searchsorted(recall, np.linspace(0, 1, 101), side="left")
    return float(np.mean([precision[p] if p < len(precision) else 0 for p in places]))


def voc(images, category, eleven):
    c = curve(images, category, 0.5)
    if c is None:
        return None
    recall, precision = c
    if eleven:
        return float(
            np.mean([max((p for r, p in zip(recall, precision) if r >= t), default=0) for t in np.linspace(0, 1, 11)])
        )
    steps = np.concatenate([[0], recall])
    return float(np.sum((steps[1:] - steps[:-1]) * precision)) if len(recall) else 0.0


def detection():
    images = []
    for _ in range(14):
        truths, answers = [], []
        for _ in range(rng.integers(0, 5)):
            x, y = rng.random(2) * 60
            w, h = 8 + rng.random(2) * 25
            kind = int(rng.integers(0, 3))
            truths.append({"class": kind, "box": listed([x, y, x + w, y + h])})
            for _ in range(rng.integers(0, 3)):
                move = rng.normal(size=4) * 2.5
                box = np.array([x, y, x + w, y + h]) + move
                other = kind if rng.random() < 0.85 else int(rng.integers(0, 3))
                answers.append({"class": other, "score": round(float(rng.random()), 1), "box": listed(box)})
        for _ in range(rng.integers(0, 2)):
            x, y = rng.random(2) * 60
            box = listed([x, y, x + 15, y + 15])
            answers.append({"class": int(rng.integers(0, 3)), "score": round(float(rng.random()) / 2, 1), "box": box})
        images.append((truths, answers))
    thresholds = np.linspace(0.5, 0.95, 10)
    values = [[coco(images, k, t) for t in thresholds] for k in range(3)]
    return {
        "images": [{"truths": t, "answers": a} for t, a in images],
        "map": float(np.mean(values)),
        "map50": float(np.mean([v[0] for v in values])),
        "map75": float(np.mean([v[5] for v in values])),
        "voc11": float(np.mean([voc(images, k, True) for k in range(3)])),
        "vocAll": float(np.mean([voc(images, k, False) for k in range(3)])),
    }


json.dump(
    {
        "severalLabels": several_labels(),
        "numbers": numbers(),
        "ranking": ranking(),
        "classes": classes(),
        "detection": detection(),
    },
    open(sys.argv[1], "w"),
)
