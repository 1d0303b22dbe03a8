"""The default recipe in PyTorch on the CPU, as what a user would pick instead.

``python torch_default.py mnist.npz model.pt`` trains for one epoch and saves; ``--evaluate`` after
that loads the file and prints its test accuracy. The same layers, optimizer, schedule, average of
the weights with statistics of its own, batches and shifts as
`mnist_tasks.training.recipes.DEFAULT`, but for the micro-batches: PyTorch computes a batch in
one piece.
"""

import math
import sys

import numpy as np
import torch
from torch import nn

BATCH, PEAK, WARMUP, FINAL, AVERAGE, STATISTICS = 96, 0.3, 0.15, 0.5, 0.99, 500


def network() -> nn.Sequential:
    """Build the network, with Keras's initial weights."""
    layers: list[nn.Module] = [
        *(nn.Conv2d(1, 16, 6, stride=2), nn.ReLU(), nn.BatchNorm2d(16, eps=1e-3)),
        *(nn.Conv2d(16, 32, 3), nn.ReLU(), nn.AvgPool2d(2), nn.BatchNorm2d(32, eps=1e-3)),
        *(nn.Conv2d(32, 48, 3), nn.ReLU(), nn.BatchNorm2d(48, eps=1e-3)),
        *(nn.Dropout2d(0.05), nn.Flatten(), nn.Linear(432, 10)),
    ]
    for layer in layers:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return nn.Sequential(*layers)


def rate(step: int, steps: int) -> float:
    """Return the share of the peak: up in a straight line, down along a half cosine."""
    warmup = round(WARMUP * steps)
    if step < warmup:
        return step / warmup
    cosine = 0.5 + 0.5 * math.cos(math.pi * (step - warmup) / (steps - warmup))
    return FINAL + (1 - FINAL) * cosine


def train(images: np.ndarray, labels: np.ndarray) -> nn.Module:
    """Train for one epoch, and return the network with the average of its weights."""
    random = np.random.default_rng(0)
    torch.manual_seed(0)
    model = network().to(memory_format=torch.channels_last)
    average = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(AVERAGE)
    )
    optimizer = torch.optim.Adagrad(
        model.parameters(), lr=PEAK, initial_accumulator_value=0.01, eps=1e-7
    )
    steps = math.ceil(len(labels) / BATCH)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate(step, steps))
    order = random.permutation(len(labels))
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (28, 28), axis=(1, 2))
    for start in range(0, len(order), BATCH):
        chosen = order[start : start + BATCH]
        down, right = random.integers(0, 3, (2, len(chosen)))
        pixels = torch.from_numpy(windows[chosen, down, right]).unsqueeze(1).float() / 255
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(pixels), torch.from_numpy(labels[chosen]).long())
        loss.backward()
        optimizer.step()
        schedule.step()
        average.update_parameters(model)
    seen = torch.from_numpy(images[:STATISTICS]).unsqueeze(1).float() / 255
    torch.optim.swa_utils.update_bn([seen], average.module)
    return average.module


def main() -> None:
    """Train and save, or load and evaluate."""
    with np.load(sys.argv[1]) as data:
        arrays = {name: data[name] for name in ("x_train", "y_train", "x_test", "y_test")}
    if "--evaluate" not in sys.argv:
        torch.save(train(arrays["x_train"], arrays["y_train"]).state_dict(), sys.argv[2])
        return
    model = network()
    model.load_state_dict(torch.load(sys.argv[2], weights_only=True))
    model.eval()
    with torch.no_grad():
        predicted = model(torch.from_numpy(arrays["x_test"]).unsqueeze(1).float() / 255).argmax(1)
    print(float((predicted.numpy() == arrays["y_test"]).mean()))


if __name__ == "__main__":
    main()
