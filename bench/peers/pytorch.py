"""PyTorch's side of the benchmark (bench/run.ts): the models, written as PyTorch's users write them.

Reads commands from standard input, one JSON object a line, and answers each with one JSON line:
{"run": k} makes k training steps and answers with the milliseconds of each; {"memory": true} with the largest size of
this process in bytes. The first argument is the model's name, the second the number of threads.
"""

import json
import math
import resource
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(1)


class Block(nn.Module):
    """A transformer layer: normalisation after each part (BERT) or before (GPT-2)."""

    def __init__(self, width, heads, causal):
        super().__init__()
        self.heads, self.causal = heads, causal
        # As the models themselves: GPT-2 has one projection, BERT has three.
        self.project = nn.ModuleList([nn.Linear(width, 3 * width)] if causal else [nn.Linear(width, width) for _ in range(3)])
        self.out = nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        eps = 1e-5 if causal else 1e-12
        self.norm1, self.norm2 = nn.LayerNorm(width, eps), nn.LayerNorm(width, eps)

    def attention(self, x, mask):
        batch, length, width = x.shape
        parts = [part for layer in self.project for part in layer(x).split(width, dim=2)]
        q, k, v = (part.view(batch, length, self.heads, -1).transpose(1, 2) for part in parts)
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.out(y.transpose(1, 2).reshape(batch, length, width))

    def feed_forward(self, x):
        return self.down(F.gelu(self.up(x), approximate="tanh" if self.causal else "none"))

    def forward(self, x, mask):
        if self.causal:
            x = x + self.attention(self.norm1(x), mask)
            return x + self.feed_forward(self.norm2(x))
        x = self.norm1(x + self.attention(x, mask))
        return self.norm2(x + self.feed_forward(x))


class Transformer(nn.Module):
    def __init__(self, width, heads, layers, vocabulary, length, causal):
        super().__init__()
        self.tokens, self.places = nn.Embedding(vocabulary, width), nn.Embedding(length, width)
        self.blocks = nn.ModuleList([Block(width, heads, causal) for _ in range(layers)])
        self.norm = nn.LayerNorm(width, 1e-5 if causal else 1e-12)  # BERT's is first, GPT-2's last
        self.register_buffer("positions", torch.arange(length), persistent=False)
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Embedding)):
                nn.init.normal_(module.weight, std=0.02)

    def embed(self, ids):
        return self.tokens(ids) + self.places(self.positions)


class Bert(Transformer):
    def __init__(self, width, heads, layers, vocabulary, length, classes):
        super().__init__(width, heads, layers, vocabulary, length, causal=False)
        self.pooler, self.classifier = nn.Linear(width, width), nn.Linear(width, classes)

    def forward(self, ids, mask):
        x = self.norm(self.embed(ids))
        bias = (1.0 - mask[:, None, None, :].float()) * -1e9
        for block in self.blocks:
            x = block(x, bias)
        return self.classifier(torch.tanh(self.pooler(x[:, 0])))


class Gpt2(Transformer):
    def __init__(self, width, heads, layers, vocabulary, length):
        super().__init__(width, heads, layers, vocabulary, length, causal=True)
        self.register_buffer("past", torch.ones(length, length, dtype=torch.bool).tril(), persistent=False)

    def forward(self, ids, mask):
        x = self.embed(ids)
        visible = self.past & mask[:, None, None, :].bool()
        for block in self.blocks:
            x = block(x, visible)
        return self.norm(x) @ self.tokens.weight.T


def convolution(inputs, outputs, kernel, stride=1, groups=1):
    layer = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    nn.init.normal_(layer.weight, std=math.sqrt(2 * groups / (outputs * kernel * kernel)))
    return layer


class Residual(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.first, self.norm1 = convolution(inputs, outputs, 3, stride), nn.BatchNorm2d(outputs)
        self.second, self.norm2 = convolution(outputs, outputs, 3), nn.BatchNorm2d(outputs)
        same = inputs == outputs and stride == 1
        self.shortcut = (
            nn.Identity()
            if same
            else nn.Sequential(convolution(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))
        )

    def forward(self, x):
        y = F.relu(self.norm1(self.first(x)), inplace=True)
        return F.relu(self.norm2(self.second(y)) + self.shortcut(x), inplace=True)


def resnet(width, stages, blocks, channels, classes):
    layers = [convolution(channels, width, 3), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
    inputs = width
    for stage in range(stages):
        for block in range(blocks):
            outputs = width * 2**stage
            layers.append(Residual(inputs, outputs, 2 if stage > 0 and block == 0 else 1))
            inputs = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, classes))


class Squeeze(nn.Module):
    def __init__(self, channels):
        super().__init__()
        inner = round_to_8(channels / 4)
        self.down, self.up = nn.Conv2d(channels, inner, 1), nn.Conv2d(inner, channels, 1)

    def forward(self, x):
        return x * F.hardsigmoid(self.up(F.relu(self.down(F.adaptive_avg_pool2d(x, 1)))))


def round_to_8(count):
    rounded = max(8, int(count + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * count else rounded


def norm_mobile(channels):
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


class Inverted(nn.Module):
    def __init__(self, inputs, kernel, expanded, outputs, squeeze, activation, stride):
        super().__init__()
        layers = []
        if expanded != inputs:
            layers += [convolution(inputs, expanded, 1), norm_mobile(expanded), activation(inplace=True)]
        layers += [convolution(expanded, expanded, kernel, stride, expanded), norm_mobile(expanded), activation(inplace=True)]
        if squeeze:
            layers.append(Squeeze(expanded))
        layers += [convolution(expanded, outputs, 1), norm_mobile(outputs)]
        self.layers, self.same = nn.Sequential(*layers), stride == 1 and inputs == outputs

    def forward(self, x):
        y = self.layers(x)
        return y + x if self.same else y


SMALL = [
    (3, 16, 16, True, nn.ReLU, 2),
    (3, 72, 24, False, nn.ReLU, 2),
    (3, 88, 24, False, nn.ReLU, 1),
    (5, 96, 40, True, nn.Hardswish, 2),
    (5, 240, 40, True, nn.Hardswish, 1),
    (5, 240, 40, True, nn.Hardswish, 1),
    (5, 120, 48, True, nn.Hardswish, 1),
    (5, 144, 48, True, nn.Hardswish, 1),
    (5, 288, 96, True, nn.Hardswish, 2),
    (5, 576, 96, True, nn.Hardswish, 1),
    (5, 576, 96, True, nn.Hardswish, 1),
]
TINY = [
    (3, 16, 16, False, nn.ReLU, 2),
    (3, 64, 24, False, nn.ReLU, 1),
    (5, 72, 40, True, nn.Hardswish, 2),
    (5, 120, 40, True, nn.Hardswish, 1),
    (5, 120, 40, True, nn.Hardswish, 1),
]


def mobilenet_v3(blocks, channels, stride, last, hidden, width, classes):
    wide = lambda count: round_to_8(count * width)
    inputs = wide(16)
    layers = [convolution(channels, inputs, 3, stride), norm_mobile(inputs), nn.Hardswish(inplace=True)]
    for kernel, expanded, outputs, squeeze, activation, step in blocks:
        layers.append(Inverted(inputs, kernel, wide(expanded), wide(outputs), squeeze, activation, step))
        inputs = wide(outputs)
    top = wide(last)
    layers += [convolution(inputs, top, 1), norm_mobile(top), nn.Hardswish(inplace=True), nn.AdaptiveAvgPool2d(1)]
    return nn.Sequential(
        *layers, nn.Flatten(), nn.Linear(top, wide(hidden)), nn.Hardswish(), nn.Linear(wide(hidden), classes)
    )


def text_batch(batch, length, vocabulary, classes):
    ids = torch.randint(vocabulary, (batch, length))
    return ids, torch.ones(batch, length, dtype=torch.int64), torch.randint(classes, (batch,))


def bert_job(width, heads, layers, vocabulary, length, batch):
    model = Bert(width, heads, layers, vocabulary, length, 26)
    ids, mask, labels = text_batch(batch, length, vocabulary, 26)
    return model, lambda: F.cross_entropy(model(ids, mask), labels)


def gpt2_job(width, heads, layers, vocabulary, length, batch):
    model = Gpt2(width, heads, layers, vocabulary, length)
    ids, mask, _ = text_batch(batch, length, vocabulary, 2)
    return model, lambda: F.cross_entropy(model(ids, mask)[:, :-1].reshape(-1, vocabulary), ids[:, 1:].reshape(-1))


def image_job(model, channels, size, batch):
    images, labels = torch.randn(batch, channels, size, size), torch.randint(10, (batch,))
    return model, lambda: F.cross_entropy(model(images), labels)


JOBS = {
    "bert-small": lambda: bert_job(256, 4, 4, 8000, 128, 32),
    "bert-base": lambda: bert_job(768, 12, 12, 30522, 128, 8),
    "resnet": lambda: image_job(resnet(32, 3, 3, 1, 10), 1, 28, 128),
    "mobilenet-v3": lambda: image_job(mobilenet_v3(SMALL, 3, 2, 576, 1024, 1, 10), 3, 64, 64),
    "resnet-small": lambda: image_job(resnet(8, 3, 1, 1, 10), 1, 28, 128),
    "mobilenet-tiny": lambda: image_job(mobilenet_v3(TINY, 1, 1, 120, 128, 0.5, 10), 1, 28, 128),
    "gpt2": lambda: gpt2_job(256, 4, 4, 8000, 128, 16),
}


def peak_bytes():
    """The largest size of this process: on Linux not getrusage's, which counts what the parent had before the start."""
    try:
        with open("/proc/self/status") as status:
            return next(1024 * int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main():
    torch.set_num_threads(int(sys.argv[2]))
    model, loss_of = JOBS[sys.argv[1]]()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.01)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    print(json.dumps({"version": torch.__version__, "parameters": parameters}), flush=True)
    for line in sys.stdin:
        command = json.loads(line)
        if "run" in command:
            times = []
            for _ in range(command["run"]):
                start = time.perf_counter()
                loss = loss_of()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                value = loss.item()
                times.append(1000 * (time.perf_counter() - start))
            print(json.dumps({"times": times, "loss": value}), flush=True)
        else:
            print(json.dumps({"bytes": peak_bytes()}), flush=True)


if __name__ == "__main__":
    main()
