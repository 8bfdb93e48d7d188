"""Train the digits network that neurogen ships: 64-64-10 leaky integrate-and-fire neurons on scikit-learn's 8x8 digits.

    python examples/train_digits.py -o neurogen/data

Needs the extra ``train`` (scikit-learn). Plain NumPy: back-propagation through time with a surrogate gradient, a cross
entropy on spike counts. A quarter of the images (stratified, seed 0) is held out and looked at once, at the end; epochs
and the shipped seed are chosen on a validation part of the other three quarters.
"""

import argparse
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import nir
import numpy as np
from scipy import ndimage
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import golden.network
from neurogen.compiler import Options, Quantisation, quantise, read
from neurogen.compiler.coding import even

STEPS = 16
FULL = 16  # the digits' largest intensity
KEEP = 1 - 2**-4
HIDDEN = 64
DT = 1e-4
METADATA = {
    "dt": DT,
    "reset": "subtract",
    "reset_delay": 0,
    "threshold_compare": ">=",
    "decay": "euler",
    "encoding": "even",
    "timesteps": STEPS,
}


@dataclass(frozen=True)
class Recipe:
    """Hyperparameters, chosen on the validation part."""

    epochs: int = 300
    batch: int = 64
    learning_rate: float = 4e-3
    weight_decay: float = 1e-3
    sharpness: float = 4.0  # of the surrogate 1 / (1 + sharpness * |v - 1|)^2
    temperature: float = 0.5  # logits per output spike
    weight_noise: float = 0.05  # of the largest weight: what rounding to 4 bits does
    turn_degrees: float = 12.0
    shift_pixels: float = 0.5


def layer(spikes: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``v = KEEP*v + I; s = [v >= 1]; v -= s`` for spikes (B, T, n): v before its reset and s, (B, T, m)."""
    current = spikes @ weights
    membranes, fired = np.empty_like(current), np.empty_like(current)
    v = np.zeros_like(current[:, 0])
    for t in range(current.shape[1]):
        v = KEEP * v + current[:, t]
        membranes[:, t] = v
        fired[:, t] = v >= 1
        v = v - fired[:, t]
    return membranes, fired


def layer_gradient(membranes: np.ndarray, spike_gradient: np.ndarray, sharpness: float) -> np.ndarray:
    """The gradient of the input currents, (B, T, m); no gradient flows through the reset."""
    local = spike_gradient / (1 + sharpness * np.abs(membranes - 1)) ** 2
    gradient = np.empty_like(local)
    carried = np.zeros_like(local[:, 0])
    for t in reversed(range(local.shape[1])):
        carried = local[:, t] + KEEP * carried
        gradient[:, t] = carried
    return gradient


def forward(weights: list[np.ndarray], spikes: np.ndarray) -> np.ndarray:
    """Output spike counts (B, 10)."""
    for matrix in weights:
        _, spikes = layer(spikes, matrix)
    return spikes.sum(axis=1)


def gradients(weights: list[np.ndarray], spikes: np.ndarray, labels: np.ndarray, recipe: Recipe) -> list[np.ndarray]:
    """Gradients of the mean cross entropy of the output spike counts."""
    first, second = weights
    hidden_v, hidden = layer(spikes, first)
    output_v, output = layer(hidden, second)
    logits = recipe.temperature * output.sum(axis=1)
    chance = np.exp(logits - logits.max(axis=1, keepdims=True))
    chance /= chance.sum(axis=1, keepdims=True)
    chance[np.arange(len(labels)), labels] -= 1
    wanted = np.broadcast_to(recipe.temperature * chance[:, None, :] / len(labels), output.shape)
    output_gradient = layer_gradient(output_v, wanted, recipe.sharpness)
    hidden_gradient = layer_gradient(hidden_v, output_gradient @ second.T, recipe.sharpness)
    return [
        np.einsum("bti,btj->ij", source, gradient, optimize=True)
        for source, gradient in ((spikes, hidden_gradient), (hidden, output_gradient))
    ]


def jitter(images: np.ndarray, rng: np.random.Generator, recipe: Recipe) -> np.ndarray:
    """Images turned and shifted a little, (B, 64), 0..FULL."""
    turned = np.empty((len(images), 8, 8))
    for index, image in enumerate(images.reshape(-1, 8, 8)):
        angle = np.deg2rad(rng.uniform(-recipe.turn_degrees, recipe.turn_degrees))
        matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        offset = 3.5 - matrix @ (3.5 + rng.uniform(-recipe.shift_pixels, recipe.shift_pixels, 2))
        turned[index] = ndimage.affine_transform(image, matrix, offset, order=1)
    return np.clip(np.rint(turned), 0, FULL).astype(np.int64).reshape(len(images), -1)


def train(x: np.ndarray, y: np.ndarray, seed: int, recipe: Recipe) -> tuple[list[np.ndarray], float]:
    """Weights (n_in, n_out) of the epoch that is best on the validation part, and its accuracy there (AdamW)."""
    rng = np.random.default_rng(seed)
    train_x, valid_x, train_y, valid_y = train_test_split(x, y, test_size=0.2, stratify=y, random_state=seed)
    valid = even(valid_x, STEPS, FULL).astype(np.float32)
    shapes = ((x.shape[1], HIDDEN), (HIDDEN, 10))
    weights = [(rng.normal(0, 1.5 / np.sqrt(n), (n, m))).astype(np.float32) for n, m in shapes]
    moments = [(np.zeros_like(w), np.zeros_like(w)) for w in weights]
    best, best_accuracy, step = weights, 0.0, 0
    batches = -(-len(train_x) // recipe.batch)
    for epoch in range(recipe.epochs):
        seen = even(jitter(train_x, rng, recipe), STEPS, FULL).astype(np.float32)
        for chosen in np.array_split(rng.permutation(len(train_x)), batches):
            step += 1
            rate = recipe.learning_rate * 0.5 * (1 + np.cos(np.pi * step / (recipe.epochs * batches)))
            noisy = [w + rng.normal(0, recipe.weight_noise * np.abs(w).max(), w.shape).astype(w.dtype) for w in weights]
            found = gradients(noisy, seen[chosen], train_y[chosen], recipe)
            for w, g, (mean, square) in zip(weights, found, moments, strict=True):
                mean += 0.1 * (g - mean)
                square += 0.001 * (g * g - square)
                unbiased = np.sqrt(square / (1 - 0.999**step)) + 1e-8
                w -= rate * (mean / (1 - 0.9**step) / unbiased + recipe.weight_decay * w)
        accuracy = float((forward(weights, valid).argmax(axis=1) == valid_y).mean())
        if accuracy >= best_accuracy and epoch >= recipe.epochs // 2:
            best, best_accuracy = [w.copy() for w in weights], accuracy
    return best, best_accuracy


def save(weights: list[np.ndarray], path: Path) -> None:
    """Write a NIR graph: r = tau/dt, so that a spike adds its weight to the membrane as it is."""
    nodes = {"input": nir.Input({"input": np.array([weights[0].shape[0]])})}
    for index, matrix in enumerate(weights, start=1):
        ones = np.ones(matrix.shape[1])
        tau = DT / (1 - KEEP) * ones
        nodes[f"fc{index}"] = nir.Linear(matrix.T.astype(np.float32))
        nodes[f"lif{index}"] = nir.LIF(
            tau=tau, r=tau / DT, v_leak=0 * ones, v_threshold=ones, v_reset=0 * ones, metadata=dict(METADATA)
        )
    nodes["output"] = nir.Output({"output": np.array([weights[-1].shape[1]])})
    names = list(nodes)
    nir.write(path, nir.NIRGraph(nodes, list(pairwise(names))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", type=Path, default=Path("."), help="directory to write digits.nir and digits_test.npz to")
    parser.add_argument("--seeds", type=int, default=5, help="how many networks to train")
    arguments = parser.parse_args()
    x, y = load_digits(return_X_y=True)
    x = x.astype(np.int64)
    train_x, test_x, train_y, test_y = train_test_split(x, y, test_size=0.25, stratify=y, random_state=0)
    spikes = even(test_x, STEPS, FULL)
    trained = [train(train_x, train_y, seed, Recipe()) for seed in range(arguments.seeds)]
    found = [
        float((forward(weights, spikes.astype(np.float32)).argmax(axis=1) == test_y).mean()) for weights, _ in trained
    ]
    for seed, (accuracy, (_, valid)) in enumerate(zip(found, trained, strict=True)):
        print(f"seed {seed}: validation {100 * valid:.2f} %, held out {100 * accuracy:.2f} %")
    chosen = int(np.argmax([valid for _, valid in trained]))
    print(f"mean of {len(found)} seeds: {100 * np.mean(found):.2f} %; shipped: seed {chosen}, best on validation")
    save(trained[chosen][0], arguments.o / "digits.nir")
    np.savez_compressed(arguments.o / "digits_test.npz", spikes=spikes, labels=test_y.astype(np.uint8))
    source = read(arguments.o / "digits.nir", Options())
    for bits in (8, 6, 5, 4, 3):
        network = quantise(source, Quantisation(weight_bits=bits))
        counts = golden.network.run(network, {"input": spikes}).spikes["lif2"].sum(axis=1)
        print(f"{bits} bits: {100 * float((counts.argmax(axis=1) == test_y).mean()):.2f} %")


if __name__ == "__main__":
    main()
