"""The default recipe in PyTorch on the CPU, for comparison.

``python torch_default.py mnist.npz model.pt`` trains for one epoch and saves; with ``--evaluate``
it loads the file and prints the test accuracy. Everything is as in
`mnist_tasks.training.recipes.DEFAULT`, including the averaged weights with statistics of their own,
except for the micro-batches: PyTorch computes a batch in one piece.
"""

import math
import sys

import numpy as np
import torch
from torch import nn

BATCH_SIZE, LEARNING_RATE, WARMUP_FRACTION, FINAL_FRACTION = 80, 0.3, 0.15, 0.5
LABEL_SMOOTHING, EMA_MOMENTUM, STATISTICS_IMAGES = 0.03, 0.99, 500


def network() -> nn.Sequential:
    """Build the network with Keras's weight initialization."""
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
    """Return the fraction of the peak learning rate: a linear warm-up, then half a cosine."""
    warmup = round(WARMUP_FRACTION * steps)
    if step < warmup:
        return step / warmup
    cosine = 0.5 + 0.5 * math.cos(math.pi * (step - warmup) / (steps - warmup))
    return FINAL_FRACTION + (1 - FINAL_FRACTION) * cosine


def train(images: np.ndarray, labels: np.ndarray) -> nn.Module:
    """Train for one epoch, and return the network with averaged weights."""
    random = np.random.default_rng(0)
    torch.manual_seed(0)
    model = network().to(memory_format=torch.channels_last)
    average = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(EMA_MOMENTUM)
    )
    optimizer = torch.optim.Adagrad(
        model.parameters(), lr=LEARNING_RATE, initial_accumulator_value=0.01, eps=1e-7
    )
    steps = math.ceil(len(labels) / BATCH_SIZE)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate(step, steps))
    order = random.permutation(len(labels))
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (28, 28), axis=(1, 2))
    for start in range(0, len(order), BATCH_SIZE):
        chosen = order[start : start + BATCH_SIZE]
        down, right = random.integers(0, 3, (2, len(chosen)))
        pixels = torch.from_numpy(windows[chosen, down, right]).unsqueeze(1).float() / 255
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(
            model(pixels),
            torch.from_numpy(labels[chosen]).long(),
            label_smoothing=LABEL_SMOOTHING,
        )
        loss.backward()
        optimizer.step()
        schedule.step()
        average.update_parameters(model)
    seen = torch.from_numpy(images[:STATISTICS_IMAGES]).unsqueeze(1).float() / 255
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
