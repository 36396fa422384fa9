"""PyTorch's side of the usual job (bench/job.ts): a ResNet teaches one of 20,000 parameters on Fashion-MNIST.

Reads commands from standard input, one JSON object a line, and answers each with one JSON line:
{"teacher": FILE, "epochs": n} trains the teacher on the labels and writes its parameters (safetensors, under Limbeck's
names); {"distil": "online" | "kept", "epochs": n} trains a student from its answers: asked in every step, or once before
the training. Times are seconds: wall and processor. Arguments: the folder of the data, training images, threads.
"""

import gzip
import importlib.util
import json
import math
import os
import struct
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

# The models of bench/peers/pytorch.py, without its loop over commands.
_source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pytorch.py")
_spec = importlib.util.spec_from_file_location("models", _source)
models = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(models)

BATCH = 128
PEAK, DECAY, WARMUP, CLIP = 4e-3, 0.02, 0.1, 5.0
BLOCKS = 3


def read_images(folder, part, limit):
    def numbers(name, header):
        with gzip.open(os.path.join(folder, f"{part}-{name}-ubyte.gz")) as file:
            return np.frombuffer(file.read()[header:], np.uint8)

    labels = torch.from_numpy(numbers("labels-idx1", 8).astype(np.int64))[:limit]
    pixels = torch.from_numpy(numbers("images-idx3", 16).reshape(-1, 1, 28, 28).copy())[:limit]
    return pixels, labels


def floats(pixels):
    return pixels.float() / 255


def train(model, count, epochs, loss_of):
    """AdamW with warm-up, cosine decay and clipped gradients, as the recipe of bench/job.ts says."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK, weight_decay=DECAY)
    per_epoch = count // BATCH
    total, step = epochs * per_epoch, 0
    model.train()
    for _ in range(epochs):
        order = torch.randperm(count)
        for index in range(per_epoch):
            done = step / total
            rate = done / WARMUP if done < WARMUP else 0.5 * (1 + math.cos(math.pi * (done - WARMUP) / (1 - WARMUP)))
            for group in optimizer.param_groups:
                group["lr"] = PEAK * rate
            loss = loss_of(order[index * BATCH : (index + 1) * BATCH])
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
            optimizer.step()
            step += 1


@torch.no_grad()
def answers(model, pixels, rows=256):
    model.eval()
    return torch.cat([model(floats(part)) for part in pixels.split(rows)])


def limbeck_name(key):
    """`4.norm1.weight` of a torch ResNet is `stage_1/block_2/first/normalization/scale`; undefined for what only counts."""
    place, *rest = key.split(".")
    number, *parts = int(place), *rest
    if parts[-1] == "num_batches_tracked":
        return None
    kinds = {"weight": "scale", "bias": "bias", "running_mean": "running_mean", "running_var": "running_var"}
    if number == 0:
        return "stem/first/convolution/weight"
    if number == 1:
        return f"stem/first/normalization/{kinds[parts[0]]}"
    if len(parts) == 1:
        return f"classifier/{parts[0]}"
    block = number - 3
    name = f"stage_{block // BLOCKS + 1}/block_{block % BLOCKS + 1}"
    if parts[0] == "shortcut":
        return f"{name}/shortcut/convolution/weight" if parts[1] == "0" else f"{name}/shortcut/normalization/{kinds[parts[2]]}"
    if parts[0] in ("first", "second"):
        return f"{name}/{parts[0]}/convolution/weight"
    side = "first" if parts[0] == "norm1" else "second"
    return f"{name}/{side}/normalization/{kinds[parts[1]]}"


def write_safetensors(model, file):
    header, blobs, at = {}, [], 0
    for key, value in model.state_dict().items():
        name = limbeck_name(key)
        if name is None:
            continue
        array = (value.T if name == "classifier/weight" else value).contiguous().numpy().astype("<f4")
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [at, at + array.nbytes]}
        blobs.append(array.tobytes())
        at += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(file, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def clock():
    return time.perf_counter(), time.process_time()


def since(start):
    wall, processor = clock()
    return {"wall": wall - start[0], "processor": processor - start[1]}


def distil(teacher, pixels, test, epochs, kept):
    torch.manual_seed(1)
    student = models.resnet(8, 3, 1, 1, 10)
    start = clock()
    said = answers(teacher, pixels) if kept else None
    labelling = since(start)

    def loss_of(rows):
        batch = floats(pixels[rows])
        if said is None:
            with torch.no_grad():
                target = teacher(batch)
        else:
            target = said[rows]
        return F.kl_div(F.log_softmax(student(batch), 1), F.log_softmax(target, 1), log_target=True, reduction="batchmean")

    teacher.eval()
    train(student, len(pixels), epochs, loss_of)
    whole = since(start)
    right = (answers(student, test[0]).argmax(1) == test[1]).sum().item()
    return {"seconds": whole, "labelling": labelling, "right": right, "of": len(test[1])}


def main():
    folder, count, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(threads)
    pixels, labels = read_images(folder, "train", count)
    test = read_images(folder, "t10k", None)
    torch.manual_seed(1)
    teacher = models.resnet(32, 3, BLOCKS, 1, 10)
    print(json.dumps({"version": torch.__version__, "images": len(pixels)}), flush=True)
    for line in sys.stdin:
        command = json.loads(line)
        if "teacher" in command:
            train(teacher, count, command["epochs"], lambda rows: F.cross_entropy(teacher(floats(pixels[rows])), labels[rows]))
            write_safetensors(teacher, command["teacher"])
            right = (answers(teacher, test[0]).argmax(1) == test[1]).sum().item()
            parameters = sum(parameter.numel() for parameter in teacher.parameters())
            print(json.dumps({"right": right, "of": len(test[1]), "parameters": parameters}), flush=True)
        else:
            print(json.dumps(distil(teacher, pixels, test, command["epochs"], command["distil"] == "kept")), flush=True)


main()
