# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""train_in_torch.py WEIGHTS TABLE TRAINED EPOCHS THREADS DETERMINISTIC: one training in PyTorch.

The same net, loss, optimizer, rows and first weights as same_bits.run.toml. WEIGHTS and TRAINED are
files of little-endian f32: fc1.weight [64, 128], fc1.bias, fc2.weight [128, 10], fc2.bias.
"""

import array
import sys

import torch

INPUTS, HIDDEN, CLASSES, BATCH = 64, 128, 10, 32


def read_table(path):
    with open(path, encoding="utf-8") as file:
        rows = [[int(field) for field in line.split(",")] for line in file]
    x = torch.tensor([row[:-1] for row in rows], dtype=torch.float32) / 16
    return x, torch.tensor([row[-1] for row in rows])


def make_net(path):
    """PyTorch keeps the weights of a linear layer transposed."""
    values = array.array("f")
    with open(path, "rb") as file:
        values.frombytes(file.read())
    values = torch.tensor(values)
    net = torch.nn.Sequential(torch.nn.Linear(INPUTS, HIDDEN), torch.nn.ReLU(),
                              torch.nn.Linear(HIDDEN, CLASSES))
    with torch.no_grad():
        for layer in (net[0], net[2]):
            count = layer.weight.numel()
            weight = values[:count].reshape(layer.in_features, layer.out_features)
            layer.weight.copy_(weight.T)
            layer.bias.copy_(values[count:count + layer.out_features])
            values = values[count + layer.out_features:]
    return net


def train(net, x, y, epochs):
    adam = torch.optim.Adam(net.parameters(), lr=1e-3)
    for _ in range(epochs):
        for begin in range(0, len(x), BATCH):
            adam.zero_grad()
            logits = net(x[begin:begin + BATCH])
            torch.nn.functional.cross_entropy(logits, y[begin:begin + BATCH]).backward()
            adam.step()


def write_net(net, path):
    values = array.array("f")
    for layer in (net[0], net[2]):
        values.extend(layer.weight.detach().T.flatten().tolist())
        values.extend(layer.bias.detach().tolist())
    with open(path, "wb") as file:
        file.write(values.tobytes())


def main():
    weights, table, trained, epochs, threads, deterministic = sys.argv[1:]
    torch.set_num_threads(int(threads))
    torch.use_deterministic_algorithms(deterministic == "yes")
    net = make_net(weights)
    train(net, *read_table(table), int(epochs))
    write_net(net, trained)
    print(torch.__version__, torch.backends.cpu.get_cpu_capability())


main()
