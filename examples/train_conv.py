"""Train a convolutional network on MNIST: conv, IF, pool, conv, IF, linear; 4,704 spiking neurons and ten that add up.

    python examples/train_conv.py DIRECTORY -o examples

``DIRECTORY`` holds ``mnist_train.npz`` and ``mnist_test.npz``: ``x`` (N, 28, 28) uint8 and ``y`` (N,). Needs the extra
``examples`` (PyTorch).
Back-propagation through time with a surrogate gradient, a cross entropy on the last layer's membrane potential; the
neurons are sinabs' and snnTorch's ``v += I; s = [v >= 1]; v -= s``, those of the last layer only add up. A twelfth of
the training images chooses the epoch; the test images are looked at once, at the end.
"""

import argparse
from itertools import pairwise
from pathlib import Path

import nir
import numpy as np
import torch
from torch import nn
from torch.nn import functional

from neurogen.compiler.coding import even

STEPS = 4
FULL = 255  # the largest intensity
CHANNELS = (16, 32)
METADATA = {"dt": 1.0, "reset": "subtract", "reset_delay": 0, "threshold_compare": ">=", "timesteps": STEPS,
            "encoding": "even"}  # fmt: skip
BATCH, LEARNING_RATE = 100, 1e-2
SHARPNESS = 2.0  # of the surrogate 1 / (1 + sharpness * |v - 1|)^2
WEIGHT_NOISE = 0.02  # of the largest weight: what rounding to 4 bits does


class Fire(torch.autograd.Function):
    """``[v >= 1]``, with the surrogate's gradient."""

    @staticmethod
    def forward(context, v):
        context.save_for_backward(v)
        return (v >= 1).to(v.dtype)

    @staticmethod
    def backward(context, gradient):
        (v,) = context.saved_tensors
        return gradient / (1 + SHARPNESS * (v - 1).abs()) ** 2


def integrate_and_fire(current: torch.Tensor) -> torch.Tensor:
    """Spikes (T, B, ...) of neurons that receive ``current`` (T, B, ...)."""
    v, spikes = torch.zeros_like(current[0]), []
    for step in current:
        v = v + step
        fired = Fire.apply(v)
        v = v - fired.detach()
        spikes.append(fired)
    return torch.stack(spikes)


class Network(nn.Module):
    """28 x 28 lines; ``CHANNELS[0]`` maps of 14 x 14; pooled; ``CHANNELS[1]`` maps of 7 x 7; 10 classes."""

    def __init__(self):
        super().__init__()
        first, second = CHANNELS
        self.conv1 = nn.Conv2d(1, first, 5, stride=2, padding=2, bias=False)
        self.conv2 = nn.Conv2d(first, second, 3, padding=1, bias=False)
        self.fc = nn.Linear(second * 49, 10, bias=False)
        for layer, gain in ((self.conv1, 3.0), (self.conv2, 4.0), (self.fc, 1.0)):
            nn.init.normal_(layer.weight, 0, gain / layer.weight[0].numel() ** 0.5)

    def forward(self, spikes: torch.Tensor) -> torch.Tensor:
        """Membrane potentials (B, 10) after the last step, of input spikes (T, B, 1, 28, 28)."""
        spikes = integrate_and_fire(self._each_step(self.conv1, spikes))
        pooled = functional.avg_pool2d(spikes.flatten(0, 1), 2).unflatten(0, spikes.shape[:2])
        spikes = integrate_and_fire(self._each_step(self.conv2, pooled))
        return self._each_step(self.fc, spikes.flatten(2)).sum(dim=0)

    def _each_step(self, layer: nn.Module, spikes: torch.Tensor) -> torch.Tensor:
        weight = layer.weight
        if self.training:
            weight = weight + WEIGHT_NOISE * weight.detach().abs().max() * torch.randn_like(weight)
        flat = spikes.flatten(0, 1)
        current = functional.linear(flat, weight) if layer is self.fc else layer._conv_forward(flat, weight, None)
        return current.unflatten(0, spikes.shape[:2])


def spikes_of(images: np.ndarray) -> torch.Tensor:
    """(T, B, 1, 28, 28) evenly spaced spikes of images (B, 28, 28)."""
    found = even(images.reshape(len(images), -1).astype(np.int64), STEPS, FULL)
    return torch.from_numpy(found.astype(np.float32)).swapaxes(0, 1).reshape(STEPS, len(images), 1, 28, 28)


def accuracy(network: Network, images: np.ndarray, labels: np.ndarray) -> float:
    network.eval()
    with torch.no_grad():
        found = [network(spikes_of(images[start : start + 500])).argmax(dim=1) for start in range(0, len(images), 500)]
    return float((torch.cat(found).numpy() == labels).mean())


def train(images: np.ndarray, labels: np.ndarray, epochs: int, seed: int) -> Network:
    """The network of the epoch that is best on a twelfth of the images (AdamW, one cycle of the learning rate)."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(images))
    valid, seen = np.split(order, [len(images) // 12])
    network = Network()
    optimiser = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=1e-3)
    batches = len(seen) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=epochs * batches)
    best, best_accuracy = network.state_dict(), 0.0
    for epoch in range(epochs):
        network.train()
        for chosen in rng.permutation(seen)[: batches * BATCH].reshape(batches, BATCH):
            loss = functional.cross_entropy(
                network(spikes_of(images[chosen])), torch.from_numpy(labels[chosen].astype(np.int64))
            )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
        reached = accuracy(network, images[valid], labels[valid])
        print(f"epoch {epoch + 1}: validation {100 * reached:.2f} %", flush=True)
        if reached >= best_accuracy:
            best, best_accuracy = {k: v.clone() for k, v in network.state_dict().items()}, reached
    network.load_state_dict(best)
    return network


def save(network: Network, path: Path) -> None:
    """Write a NIR graph, layer by layer."""

    def neurons(*shape: int) -> nir.IF:
        ones = np.ones(shape, np.float32)
        return nir.IF(r=ones, v_threshold=ones, v_reset=0 * ones, metadata=dict(METADATA))

    def convolution(layer: nn.Conv2d, size: int) -> nir.Conv2d:
        weight = layer.weight.detach().numpy()
        return nir.Conv2d((size, size), weight, layer.stride, layer.padding, layer.dilation, 1, np.zeros(len(weight)))

    first, second = CHANNELS
    nodes = {
        "input": nir.Input({"input": np.array([1, 28, 28])}),
        "conv1": convolution(network.conv1, 28),
        "if1": neurons(first, 14, 14),
        "pool": nir.AvgPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])),
        "conv2": convolution(network.conv2, 7),
        "if2": neurons(second, 7, 7),
        "flatten": nir.Flatten({"input": np.array([second, 7, 7])}, start_dim=0, end_dim=-1),
        "fc": nir.Linear(network.fc.weight.detach().numpy()),
        "sum": nir.I(r=np.ones(10, np.float32), metadata=dict(METADATA)),
        "output": nir.Output({"output": np.array([10])}),
    }
    nir.write(path, nir.NIRGraph(nodes, list(pairwise(nodes))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mnist", type=Path, help="directory with mnist_train.npz and mnist_test.npz")
    parser.add_argument("-o", type=Path, default=Path("."), help="directory to write mnist_conv.nir to")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # the layers are small: more threads wait for each other more than they work
    parts = {}
    for part in ("train", "test"):
        with np.load(arguments.mnist / f"mnist_{part}.npz") as file:
            parts[part] = file["x"], file["y"]
    network = train(*parts["train"], arguments.epochs, arguments.seed)
    save(network, arguments.o / "mnist_conv.nir")
    print(f"test: {100 * accuracy(network, *parts['test']):.2f} %")


if __name__ == "__main__":
    main()
