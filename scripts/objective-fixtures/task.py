"""Values and gradients of the losses of the task level, from their formulas, in float64, with loops where loops are plain.

Writes src/objectives/testing/task-fixtures.json:

    python scripts/objective-fixtures/task.py
"""

import json
import math
from pathlib import Path

import torch

torch.manual_seed(4)
torch.set_default_dtype(torch.float64)
TARGET = Path(__file__).parents[2] / "src/objectives/testing/task-fixtures.json"

ROWS, CLASSES = 6, 5
teacher = torch.randn(ROWS, CLASSES) * 2
start = torch.randn(ROWS, CLASSES)
labels = torch.tensor([1, -1, 4, 0, -1, 2])
weights = torch.tensor([1.0, 1.0, 0.0, 1.0, 1.0, 1.0])
counted = [i for i in range(ROWS) if weights[i] > 0]


def softmax(x, temperature=1.0):
    powers = torch.exp(x / temperature)
    return powers / powers.sum(-1, keepdim=True)


def kl(p, q):
    return (p * (p / q).log()).sum()


def mean_of(loss):
    """The mean of a loss for each row over the rows that count."""
    return lambda student: sum(loss(student, i) for i in counted) / len(counted)


def kd_standardized(temperature):
    def z_score(x):
        return (x - x.mean()) / (((x - x.mean()) ** 2).mean() + 1e-6).sqrt()

    def loss(student, i):
        p, q = softmax(z_score(teacher[i]), temperature), softmax(z_score(student[i]), temperature)
        return temperature**2 * kl(p, q)

    return mean_of(loss)


def dkd(temperature, alpha, beta):
    def loss(student, i):
        target = labels[i].item() if labels[i] >= 0 else teacher[i].argmax().item()
        others = [c for c in range(CLASSES) if c != target]
        p, q = softmax(teacher[i], temperature), softmax(student[i], temperature)
        pair = lambda x: torch.stack([x[target], 1 - x[target]])
        rest = lambda x: x[others] / x[others].sum()
        return temperature**2 * (alpha * kl(pair(p), pair(q)) + beta * kl(rest(p), rest(q)))

    return mean_of(loss)


def pearson(a, b):
    a, b = a - a.mean(), b - b.mean()
    return (a * b).sum() / (a.norm() * b.norm())


def dist(temperature, inter, intra):
    def loss(student):
        p, q = softmax(teacher[counted], temperature), softmax(student[counted], temperature)
        of_rows = sum(1 - pearson(p[i], q[i]) for i in range(len(counted))) / len(counted)
        of_classes = sum(1 - pearson(p[:, c], q[:, c]) for c in range(CLASSES)) / CLASSES
        return temperature**2 * (inter * of_rows + intra * of_classes)

    return loss


def mlkd(temperatures, instance, batch, classes):
    def loss(student):
        total = 0
        for temperature in temperatures:
            p, q = softmax(teacher[counted], temperature), softmax(student[counted], temperature)
            n = len(counted)
            total = total + instance * temperature**2 * sum(kl(p[i], q[i]) for i in range(n)) / n
            total = total + batch * ((p @ p.T - q @ q.T) ** 2).sum() / n
            total = total + classes * ((p.T @ p - q.T @ q) ** 2).sum() / CLASSES
        return total / len(temperatures)

    return loss


def huber(a, b):
    far = (a - b).abs()
    return torch.where(far <= 1, far**2 / 2, far - 0.5)


def rkd_distance(student):
    pairs = [(i, j) for i in counted for j in counted if i != j]

    def psi(x):
        far = torch.stack([(x[i] - x[j]).norm() for i, j in pairs])
        return far / far.mean()

    return huber(psi(student), psi(teacher)).mean()


def rkd_angle(group):
    def cosine(x, i, j, k):
        a, b = x[i] - x[j], x[k] - x[j]
        return (a * b).sum() / (a.norm() * b.norm())

    def loss(student):
        of_rows = []
        for j in counted:
            mates = [i for i in counted if i // group == j // group and i != j]
            triples = [(i, k) for i in mates for k in mates if i != k]
            each = [huber(cosine(student, i, j, k), cosine(teacher, i, j, k)) for i, k in triples]
            of_rows.append(sum(each) / len(each) if each else torch.zeros(()))
        return sum(of_rows) / len(of_rows)

    return loss


LOSSES = {
    "kd standardized": kd_standardized(2.0),
    "dkd": dkd(4.0, 1.0, 8.0),
    "dist": dist(1.0, 1.0, 1.0),
    "dist softened": dist(4.0, 2.0, 0.5),
    "mlkd": mlkd([2.0, 3.0, 4.0], 1.0, 1.0, 1.0),
    "mlkd of samples": mlkd([1.0], 0.0, 1.0, 0.0),
    "mlkd of classes": mlkd([1.0], 0.0, 0.0, 1.0),
    "rkd distance": rkd_distance,
    "rkd angle": rkd_angle(32),
    "rkd angle in groups": rkd_angle(4),
}


def rounded(x):
    return [float(f"{value:.9g}") for value in x.flatten().tolist()]


cases = {}
for name, loss in LOSSES.items():
    student = start.clone().requires_grad_()
    value = loss(student)
    value.backward()
    assert math.isfinite(value.item())
    cases[name] = {"value": float(f"{value.item():.9g}"), "gradient": rounded(student.grad)}

TARGET.write_text(
    json.dumps(
        {
            "rows": ROWS,
            "classes": CLASSES,
            "student": rounded(start),
            "teacher": rounded(teacher),
            "labels": labels.tolist(),
            "weights": weights.tolist(),
            "cases": cases,
        },
        indent=1,
    )
    + "\n"
)
