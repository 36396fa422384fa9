"""
Writes test/pytorch-gradients/cases: models that PyTorch exported, and PyTorch's gradients of them.

    python -m venv peer && peer/bin/pip install torch torchvision transformers onnx onnxscript
    peer/bin/python scripts/pytorch-cases/generate.py [NAME ...]

Weights are small multiples of a power of two, so that a file packs well. The gradients are computed in double
precision; of each the norm and three products with fixed directions are kept (`directions` below).
"""

import copy
import gzip
import io
import json
import logging
import pathlib
import sys
import warnings

import numpy as np
import onnx
import torch
import torch.nn as nn
from onnx import numpy_helper

from models import CONVOLUTIONAL, FUNCTIONS, MODELS, RECURRENT, TRANSFORMERS

FOLDER = pathlib.Path(__file__).parents[2] / "test" / "pytorch-gradients" / "cases"

# exporter, opset, mode, sizes
SETTINGS = {
    **{name: [("torchscript", 14, "train", "symbolic"), ("torchscript", 17, "eval", "fixed")] for name in CONVOLUTIONAL},
    **{name: [("torchscript", 16, "eval", "symbolic"), ("dynamo", 18, "eval", "symbolic")] for name in TRANSFORMERS},
    **{name: [("torchscript", 14, "eval", "symbolic")] for name in RECURRENT},
    **{name: [("torchscript", 13, "eval", "fixed"), ("dynamo", 22, "eval", "symbolic")] for name in FUNCTIONS},
}


class Loss(nn.Module):
    """A scalar in which every element of the output counts."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, *inputs):
        outputs = self.model(*inputs)
        outputs = outputs if isinstance(outputs, (tuple, list)) else [outputs]
        flat = [output.reshape(-1) for output in outputs]
        return sum((values * values).mean() * 0.5 + torch.tanh(values).mean() for values in flat)


def round_weights(model):
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for parameter in model.parameters():
            # Exporters keep equal weights once: none may be like another.
            alike = parameter.dim() <= 1 or bool((parameter == parameter.flatten()[0]).all())
            noise = 0.1 * torch.randn(parameter.shape, generator=generator) if alike else 0
            value = parameter + noise
            step = 2.0 ** np.floor(np.log2(max(float(value.abs().max()), 1e-3) / 15))
            parameter.copy_(torch.round(value / step) * step)
        for name, buffer in model.named_buffers():
            draw = torch.rand(buffer.shape, generator=generator)
            if "running_mean" in name:
                buffer.copy_(torch.round(draw * 8 - 4) / 16)
            if "running_var" in name:
                buffer.copy_(1 + torch.round(draw * 8) / 8)


def export(loss, inputs, exporter, opset, mode, sizes):
    names = [f"input_{i}" for i in range(len(inputs))]
    file = io.BytesIO()
    if exporter == "torchscript":
        training = torch.onnx.TrainingMode.TRAINING if mode == "train" else torch.onnx.TrainingMode.PRESERVE
        options = dict(training=training, dynamo=False)
        if sizes == "symbolic":
            options["dynamic_axes"] = {name: {0: "batch"} for name in names}
        torch.onnx.export(loss, inputs, file, input_names=names, output_names=["loss"], opset_version=opset, **options)
        return onnx.load_from_string(file.getvalue())
    options = {}
    if sizes == "symbolic":
        batch = torch.export.Dim("batch", min=1, max=64)
        options["dynamic_shapes"] = (tuple({0: batch} for _ in names),)
    program = torch.onnx.export(
        loss, inputs, input_names=names, output_names=["loss"], opset_version=opset, dynamo=True, verbose=False, **options
    )
    return program.model_proto


def gradients(loss, inputs):
    double = copy.deepcopy(loss).double()
    value = double(*[x.double() if x.is_floating_point() else x for x in inputs])
    value.backward()
    loss(*inputs).backward()
    single = dict(loss.named_parameters())
    return value.item(), {
        name: (parameter.detach().float().numpy(), parameter.grad.numpy(), single[name].grad.numpy())
        for name, parameter in double.named_parameters()
        if parameter.grad is not None
    }


def matched(model, parameters):
    """The gradients by the names of initializers: exporters rename weights, and transpose those of linear layers."""
    found = {}
    for initializer in model.graph.initializer:
        value = numpy_helper.to_array(initializer)
        if value.dtype != np.float32 or value.size < 2:
            continue
        for weight, *gradients in parameters.values():
            if np.array_equal(weight, value):
                found[initializer.name] = gradients
                break
            if value.ndim == 2 and np.array_equal(weight.T, value):
                found[initializer.name] = [gradient.T for gradient in gradients]
                break
    return found


def directions(size):
    index = np.arange(size, dtype=np.float64)
    return [np.sin((k + 1) * 0.7 * index + k) for k in range(3)]


def write(name, exporter, opset, mode, sizes):
    torch.manual_seed(1)
    model, inputs = MODELS[name]()
    round_weights(model)
    loss = Loss(model)
    loss.train(mode == "train")
    state = copy.deepcopy(loss.state_dict())
    exported = export(loss, inputs, exporter, opset, mode, sizes)
    loss.load_state_dict(state)
    value, parameters = gradients(loss, inputs)
    found = matched(exported, parameters)
    # A gradient that PyTorch's own float32 gets wrong by a ten-thousandth is made of rounding errors: it says nothing.
    exact = lambda double, single: np.linalg.norm(double - single) <= 1e-4 * np.linalg.norm(double)
    kept = {name: double for name, (double, single) in found.items() if exact(double, single)}
    case = f"{name}.{exporter}.{opset}.{mode}.{sizes}"
    (FOLDER / f"{case}.onnx.gz").write_bytes(gzip.compress(exported.SerializeToString(), 9, mtime=0))
    content = {
        "inputs": [
            {"name": f"input_{i}", "type": str(x.dtype).removeprefix("torch."), "dims": list(x.shape), "data": x.flatten().tolist()}
            for i, x in enumerate(inputs)
        ],
        "loss": value,
        "parameters": len(parameters),
        "gradients": {
            k: {
                "norm": float(np.linalg.norm(g)),
                "products": [float(d @ np.ascontiguousarray(g).reshape(-1)) for d in directions(g.size)],
            }
            for k, g in kept.items()
        },
    }
    (FOLDER / f"{case}.json.gz").write_bytes(gzip.compress(json.dumps(content).encode(), 9, mtime=0))
    print(f"{case}: {len(kept)} of {len(parameters)} parameters", flush=True)


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    logging.disable(logging.CRITICAL)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[1:] or SETTINGS:
        for setting in SETTINGS[name]:
            try:
                write(name, *setting)
            except Exception as error:
                print(f"{name} {setting}: not exported: {str(error).splitlines()[0][:150]}", flush=True)
