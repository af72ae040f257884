"""PyTorch, eager, one thread: `python3 torch_peer.py DATA VARIANT`, answering as serve.mjs says.

Variants: Adam as a loop over parameters, over lists of them (foreach) or fused, where the version has it; `bag` takes
observations as indices and weights of what is not 0, by EmbeddingBag.
"""

import json
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

MOST_LAYERS = 9
STEPS = 3
ROWS = 64

torch.set_num_threads(1)
torch.set_num_interop_threads(1)
torch.set_flush_denormal(True)


class Data:
    """The data file, see data.ts."""

    def __init__(self, path):
        with open(path, "rb") as file:

            def take(kind, *shape):
                return np.fromfile(file, kind, int(np.prod(shape))).reshape(shape)

            settings = take(np.int32, 5 + MOST_LAYERS).tolist()
            self.observation, self.actions, self.batch, self.capacity, layers = settings[:5]
            self.widths = [self.observation, *settings[5 : 5 + layers], self.actions]
            self.rate, self.beta1, self.beta2, self.epsilon = take(np.float64, 4).tolist()
            n, wide = self.capacity, self.observation
            self.observations = torch.from_numpy(take(np.float32, n, wide))
            self.next_observations = torch.from_numpy(take(np.float32, n, wide))
            self.rewards = torch.from_numpy(take(np.float32, n))
            self.discounts = torch.from_numpy(take(np.float32, n))
            self.taken = torch.from_numpy(take(np.int32, n)).long()
            self.layers = []
            for inputs, outputs in zip(self.widths, self.widths[1:]):
                weight = torch.from_numpy(take(np.float32, outputs, inputs))
                self.layers.append((weight, torch.from_numpy(take(np.float32, outputs))))
            self.staged = torch.from_numpy(take(np.float32, ROWS, wide))
            self.drawn = torch.from_numpy(take(np.int32, STEPS, self.batch)).long()


class Bag(nn.Module):
    """A first layer for rows [indices, weights]."""

    def __init__(self, weight, bias):
        super().__init__()
        self.bag = nn.EmbeddingBag(weight.shape[1], weight.shape[0], mode="sum", _weight=weight.t().contiguous())
        self.bias = nn.Parameter(bias.clone())

    def forward(self, rows):
        indices, weights = rows
        return self.bag(indices, per_sample_weights=weights) + self.bias


def linear(weight, bias):
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)
    return layer


def network(data, has_bag):
    parts = []
    for i, (weight, bias) in enumerate(data.layers):
        parts += [Bag(weight, bias) if has_bag and i == 0 else linear(weight, bias), nn.ReLU()]
    return nn.Sequential(*parts[:-1])


class Dense:
    """Rows as they are."""

    def __init__(self, rows):
        self.rows = rows

    def __getitem__(self, i):
        return self.rows[i]


class Sparse:
    """Rows as the indices and the weights of what is not 0; all have as many."""

    def __init__(self, rows):
        self.indices = rows.nonzero()[:, 1].view(rows.shape[0], -1)
        self.weights = rows.gather(1, self.indices)

    def __getitem__(self, i):
        return self.indices[i], self.weights[i]


class Peer:
    def __init__(self, data, variant):
        words = variant.split()
        has_bag = "bag" in words
        self.data = data
        self.online = network(data, has_bag)
        self.target = network(data, has_bag)
        rows = Sparse if has_bag else Dense
        self.observations = rows(data.observations)
        self.next_observations = rows(data.next_observations)
        self.staged = rows(data.staged)
        options = {"foreach": "foreach" in words}
        if "fused" in words:
            options = {"fused": True}
        betas = (data.beta1, data.beta2)
        self.optimizer = torch.optim.Adam(self.online.parameters(), data.rate, betas, data.epsilon, **options)
        self.step = 0

    def draw(self):
        if self.step < STEPS:
            self.step += 1
            return self.data.drawn[self.step - 1]
        return torch.randint(self.data.capacity, (self.data.batch,))

    def train(self, count):
        data = self.data
        for _ in range(count):
            i = self.draw()
            with torch.no_grad():
                value = self.target(self.next_observations[i]).amax(1)
                y = torch.addcmul(data.rewards[i], data.discounts[i], value)
            q = self.online(self.observations[i]).gather(1, data.taken[i].unsqueeze(1)).squeeze(1)
            loss = F.smooth_l1_loss(q, y)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()
        return loss.item()

    @torch.inference_mode()
    def act(self, count):
        row = slice(0, 1)
        for _ in range(count):
            action = self.online(self.staged[row]).argmax(1).item()
        return action

    @torch.inference_mode()
    def act64(self, count):
        rows = slice(0, ROWS)
        for _ in range(count):
            chosen = self.online(self.staged[rows]).argmax(1).tolist()
        return chosen

    @torch.no_grad()
    def weights(self, path):
        parts = []
        for layer in self.online:
            if isinstance(layer, Bag):
                parts += [layer.bag.weight.t(), layer.bias]
            elif isinstance(layer, nn.Linear):
                parts += [layer.weight, layer.bias]
        torch.cat([part.reshape(-1) for part in parts]).numpy().tofile(path)


def answer(peer, name, word):
    if name == "chosen":
        return {"chosen": peer.act64(1)}
    if name == "weights":
        peer.weights(word)
        return {}
    start = time.perf_counter()
    result = getattr(peer, name)(int(word))
    us = 1e6 * (time.perf_counter() - start)
    if name == "train":
        return {"us": us, "loss": result}
    return {"us": us, "chosen": [result if name == "act" else result[0]]}


def say(value):
    print(json.dumps(value), flush=True)


def main(path, variant):
    peer = Peer(Data(path), variant)
    say({"version": torch.__version__})
    for line in sys.stdin:
        name, _, word = line.strip().partition(" ")
        try:
            say(answer(peer, name, word))
        except Exception as error:
            say({"error": repr(error)})


try:
    main(*sys.argv[1:])
except Exception as error:
    say({"error": repr(error)})
    sys.exit(1)
