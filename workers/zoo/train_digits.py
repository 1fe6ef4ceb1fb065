"""Trains the embedded network and writes its weights: `python -m workers.zoo.train_digits FILE`.

Takes under half a minute on two cores. Only the training part is ever looked at; the accuracies
printed at the end are also on the parts that the network has not seen.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from workers.zoo import digits

EPOCHS = 60
BATCH = 64  # images
PEAK_RATE = 3e-3  # of Adam, one cycle
SEED = 7


def train() -> digits.DigitsVGG:
    """Return the trained network, in eval mode."""
    torch.manual_seed(SEED)
    model = digits.DigitsVGG()
    part = digits.parts()[0]
    steps = EPOCHS * -(-len(part.labels) // BATCH)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=5e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, total_steps=steps)
    for _ in range(EPOCHS):
        for batch in torch.split(torch.randperm(len(part.labels)), BATCH):
            loss = functional.cross_entropy(
                model(_jitter(part.images[batch])), part.labels[batch], label_smoothing=0.05
            )
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            optimizer.step()
            schedule.step()
    return model.eval()


def _jitter(images: Tensor) -> Tensor:
    """Return the images, each moved, turned and scaled a little."""
    n = len(images)
    angle = (torch.rand(n) - 0.5) * 0.4  # radians
    scale = 1 + (torch.rand(n) - 0.5) * 0.2
    shift = (torch.rand(n, 2) - 0.5) * 0.4  # of half the side
    rows = torch.stack(
        [
            torch.stack([scale * angle.cos(), -scale * angle.sin(), shift[:, 0]], 1),
            torch.stack([scale * angle.sin(), scale * angle.cos(), shift[:, 1]], 1),
        ],
        1,
    )
    grid = functional.affine_grid(rows, list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, align_corners=False)


def main() -> None:
    """Train, report, save."""
    model = train()
    with torch.inference_mode():
        for name, part in zip(
            ("training", "calibration", "search", "certification"), digits.parts(), strict=True
        ):
            right = int((model(part.images).argmax(1) == part.labels).sum())
            share = right / len(part.labels)
            print(f"{name}: {right} of {len(part.labels)}, {share:.4f}")  # noqa: T201  # a script's only output
    save_file(model.state_dict(), Path(sys.argv[1]))


if __name__ == "__main__":
    main()
