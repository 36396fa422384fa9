"""Values and gradients of the losses of the token and sequence levels, from their formulas, in float64.

Writes src/objectives/testing/layer-fixtures.json, which the tests read:

    python scripts/objective-fixtures/layers.py

Needs PyTorch. A case is what a loss is given (values of the student and the teacher by name, parameters, weights of
rows, the mask of tokens), the loss, and its gradients. The last row only fills the batch.
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F

torch.manual_seed(5)
torch.set_default_dtype(torch.float64)
TARGET = Path(__file__).parents[2] / "src/objectives/testing/layer-fixtures.json"
ROWS, TOKENS = 3, 4
mask = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0], [1, 1, 1, 0]])
rows = torch.tensor([1.0, 1.0, 0.0])
cases = []


def draw(*shape):
    """Numbers that are exact in JSON and in float32."""
    return (torch.randn(*shape) * 64).round() / 64


def leaf(*shape):
    return draw(*shape).requires_grad_()


def over_tokens(values):
    """The mean over tokens, [rows, tokens] -> [rows]."""
    return (values * mask).sum(1) / mask.sum(1)


def over_rows(values):
    return (values * rows).sum() / rows.sum()


def attend(scores):
    """Attention distributions over the keys that are tokens."""
    return torch.softmax(scores.masked_fill(mask[:, None, None, :] == 0, -torch.inf), -1)


def kl(target, own):
    terms = torch.where(target > 0, target * (target.clamp(min=1e-30).log() - own.clamp(min=1e-30).log()), 0)
    return terms.sum(-1)


def numbers(tensor):
    return {"dims": list(tensor.shape), "data": [float(f"{x:.6g}") for x in tensor.detach().flatten().tolist()]}


def case(objective, options, layers, loss, student, teacher, parameters={}, pairs=None):
    leaves = {**student, **parameters}
    gradients = torch.autograd.grad(loss, list(leaves.values()))
    cases.append(
        {
            "objective": objective,
            "options": options,
            "layers": layers,
            "pairs": pairs or [{"student": i, "teacher": i, "weight": 1} for i in range(len(layers["student"]))],
            "student": {name: numbers(value) for name, value in student.items()},
            "teacher": {name: numbers(value) for name, value in teacher.items()},
            "parameters": {name: numbers(value) for name, value in parameters.items()},
            "mask": mask.tolist(),
            "rows": rows.tolist(),
            "loss": float(f"{loss.item():.9g}"),
            "gradients": {name: numbers(g)["data"] for name, g in zip(leaves, gradients)},
        }
    )


def attention(heads, student_heads, teacher_heads):
    def side(count, prefix, leaves):
        names = [f"{prefix}_{layer}" for layer in (0, 1)]
        values = [attend(draw(ROWS, count, TOKENS, TOKENS)).detach() for _ in names]
        return dict(zip(names, [v.requires_grad_() if leaves else v for v in values]))

    student, teacher = side(student_heads, "s", True), side(teacher_heads, "t", False)
    # Weights of a map with a mean of 1: shares of a quarter and three quarters.
    shares = [0.25, 0.75]
    loss = 0
    for share, own, other in zip(shares, student.values(), teacher.values()):
        if heads == "mean":
            perQuery = kl(other.mean(1), own.mean(1))
        else:
            perQuery = kl(other, own).mean(1)
        loss = loss + share * over_rows(over_tokens(perQuery))
    layer = lambda name, count: {"name": name, "attention": {"probabilities": name, "heads": count}}
    layers = {
        "student": [layer(name, student_heads) for name in student],
        "teacher": [layer(name, teacher_heads) for name in teacher],
    }
    pairs = [{"student": i, "teacher": i, "weight": 2 * share} for i, share in enumerate(shares)]
    case("attention", {"heads": heads}, layers, loss, student, teacher, pairs=pairs)


def value_relations(relation_heads, student_heads, teacher_heads):
    own, other = leaf(ROWS, student_heads, TOKENS, 2), draw(ROWS, teacher_heads, TOKENS, 3)
    # By default the greatest common divisor of the heads.
    groups = relation_heads or 2

    def relations(values):
        whole = values.transpose(1, 2).flatten(2)
        split = whole.unflatten(2, (groups, -1)).transpose(1, 2)
        return attend(split @ split.transpose(2, 3) / split.shape[-1] ** 0.5)

    loss = over_rows(over_tokens(kl(relations(other), relations(own)).mean(1)))
    layer = lambda name, count: {"name": name, "attention": {"probabilities": "", "heads": count, "values": name}}
    layers = {"student": [layer("s", student_heads)], "teacher": [layer("t", teacher_heads)]}
    options = {"relationHeads": relation_heads} if relation_heads else {}
    case("valueRelations", options, layers, loss, {"s": own}, {"t": other})


def hidden(options, student_width, teacher_width):
    own, other = leaf(ROWS, TOKENS, student_width), draw(ROWS, TOKENS, teacher_width) + 0.5
    parameters, projected = {}, own
    if student_width != teacher_width:
        matrix = leaf(student_width, teacher_width)
        parameters = {"projection/hidden/s/t": matrix}
        projected = own @ matrix
    if options["distance"] == "cosine":
        perToken = 1 - F.cosine_similarity(projected, other, dim=-1)
    elif options["normalize"]:
        norm = lambda x: F.layer_norm(x, x.shape[-1:], eps=0)
        perToken = (norm(projected) - norm(other)).square().mean(-1)
    else:
        perToken = (projected - other).square().mean(-1)
    layer = lambda name, width: {"name": name, "hidden": {"name": name, "width": width}}
    layers = {"student": [layer("s", student_width)], "teacher": [layer("t", teacher_width)]}
    case("hidden", options, layers, over_rows(over_tokens(perToken)), {"s": own}, {"t": other}, parameters)


def maps(name, shape):
    _, channels, height, width = shape
    sizes = {"channels": channels, "height": height, "width": width, "endsStage": True}
    return {"name": name, "features": {"name": name, **sizes}}


def pictures(objective, options, student_shape, teacher_shape, projects, body):
    own, other = leaf(*student_shape), draw(*teacher_shape)
    parameters, matrix = {}, None
    if projects and student_shape[1] != teacher_shape[1]:
        matrix = leaf(student_shape[1], teacher_shape[1])
        parameters = {f"projection/{objective}/s/t": matrix}
    regressor = lambda x: x if matrix is None else F.conv2d(x, matrix.T[:, :, None, None])
    layers = {"student": [maps("s", student_shape)], "teacher": [maps("t", teacher_shape)]}
    case(objective, options, layers, over_rows(body(own, other, regressor)), {"s": own}, {"t": other}, parameters)


def smaller(a, b):
    return [min(a.shape[i], b.shape[i]) for i in (2, 3)]


def features(own, other, regressor):
    size = smaller(own, other)
    pooled = [F.adaptive_avg_pool2d(x, size) for x in (regressor(own), other)]
    return (pooled[0] - pooled[1]).square().mean((1, 2, 3))


def attention_transfer(own, other, _):
    size = smaller(own, other)
    q = [F.normalize(F.adaptive_avg_pool2d(x.square().sum(1, keepdim=True), size).flatten(1)) for x in (own, other)]
    return (q[0] - q[1]).square().sum(1)


def feature_pyramid(own, other, regressor):
    # Pooled once, and the coarser scales from the finest.
    fine = [F.adaptive_avg_pool2d(x, 4) for x in (regressor(own), other)]
    total, weight, whole = 0, 1.0, 0.0
    for scale in (4, 2, 1):
        a, b = [F.adaptive_avg_pool2d(x, scale) for x in fine]
        total = total + weight * (a - b).square().mean((1, 2, 3))
        whole, weight = whole + weight, weight / 2
    return total / whole


def over_batch(objective, body):
    own, other = leaf(6, 3), draw(6, 4)
    global mask, rows
    kept = mask, rows
    rows = torch.tensor([1.0, 1.0, 0.0, 1.0, 1.0, 0.0])
    mask = torch.ones(6, 1, dtype=torch.int64)
    counted = rows > 0
    loss = body(own[counted], other[counted])
    student, teacher = own.reshape(6, 3, 1, 1), other.reshape(6, 4, 1, 1)
    gradient = torch.autograd.grad(loss, own, retain_graph=True)[0]
    layers = {"student": [maps("s", student.shape)], "teacher": [maps("t", teacher.shape)]}
    leaves = student.detach().requires_grad_()
    again = body(leaves.flatten(1)[counted], other[counted])
    case(objective, {}, layers, again, {"s": leaves}, {"t": teacher})
    assert torch.allclose(gradient.flatten(), torch.tensor(cases[-1]["gradients"]["s"]), atol=1e-6)
    mask, rows = kept


def similarity(own, other):
    g = [F.normalize(x @ x.T) for x in (own, other)]
    return (g[0] - g[1]).square().sum() / len(own) ** 2


def cka(own, other):
    """From equation 4 over features, not over samples: |Y^T X|^2 / (|X^T X| |Y^T Y|)."""
    x, y = [z - z.mean(0) for z in (own, other)]
    return 1 - (y.T @ x).square().sum() / ((x.T @ x).norm() * (y.T @ y).norm())


def pooled_tokens():
    """The mean over tokens, without padding."""
    own, other = leaf(ROWS, TOKENS, 3), draw(ROWS, TOKENS, 5)
    means = [(x * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True) for x in (own, other)]
    counted = rows > 0
    layer = lambda name, width: {"name": name, "hidden": {"name": name, "width": width}}
    layers = {"student": [layer("s", 3)], "teacher": [layer("t", 5)]}
    case("similarity", {}, layers, similarity(means[0][counted], means[1][counted]), {"s": own}, {"t": other})


attention("mean", 2, 3)
attention("each", 2, 2)
value_relations(None, 2, 4)
value_relations(1, 2, 1)
value_relations(3, 3, 2)
hidden({"distance": "mse", "normalize": True}, 3, 5)
hidden({"distance": "mse", "normalize": True}, 5, 3)
hidden({"distance": "mse", "normalize": True}, 4, 4)
hidden({"distance": "mse", "normalize": False}, 3, 5)
hidden({"distance": "mse", "normalize": False}, 4, 4)
hidden({"distance": "cosine", "normalize": True}, 3, 5)
hidden({"distance": "cosine", "normalize": True}, 4, 4)
pictures("features", {}, (ROWS, 2, 3, 3), (ROWS, 3, 6, 6), True, features)
pictures("features", {}, (ROWS, 3, 4, 5), (ROWS, 3, 3, 3), True, features)
pictures("features", {}, (ROWS, 4, 4, 4), (ROWS, 2, 4, 4), True, features)
pictures("attentionTransfer", {}, (ROWS, 2, 4, 4), (ROWS, 3, 4, 4), False, attention_transfer)
pictures("attentionTransfer", {}, (ROWS, 2, 5, 5), (ROWS, 3, 3, 3), False, attention_transfer)
pictures("featurePyramid", {}, (ROWS, 1, 8, 8), (ROWS, 2, 7, 7), True, feature_pyramid)
pictures("featurePyramid", {}, (ROWS, 2, 3, 3), (ROWS, 2, 4, 4), True, feature_pyramid)
over_batch("similarity", similarity)
over_batch("cka", cka)
pooled_tokens()
TARGET.parent.mkdir(exist_ok=True)
TARGET.write_text("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")
