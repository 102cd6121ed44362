# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Metrics, counted one row at a time in plain Python."""

import math

from common import show

Z = [[0.5, -1.25, 3.0], [2.5, 2.5, 2.25], [1.0, 1.0, 1.0], [0.0, 0.25, -6.5], [-1.0, -3.0, -2.0]]
CLASSES = [2, 1, 2, 0, 1]


def best(row, k):
    """The k greatest of a row; of equal ones the first."""
    return sorted(range(len(row)), key=lambda i: (-row[i], i))[:k]


for k in (1, 2, 3):
    hits = [y in best(row, k) for row, y in zip(Z, CLASSES)]
    show(f"top_{k}", {"z": Z, "y": CLASSES}, {"share": sum(hits) / 5}, {"hits": hits}, {"N": 5})
right = sum(best(row, 1)[0] == y for row, y in zip(Z, CLASSES))
nll = sum(math.log(sum(math.exp(z - row[y]) for z in row)) for row, y in zip(Z, CLASSES)) / 5
show("accuracy", {"z": Z, "y": CLASSES}, {"share": right / 5, "perplexity": math.exp(nll)},
     dims={"N": 5})

p = [True, True, False, False, True, False]
y = [True, False, False, True, True, False]
tp = sum(a and b for a, b in zip(p, y))
precision, recall = tp / sum(p), tp / sum(y)
show("binary", {"p": p, "y": y},
     {"precision": precision, "recall": recall,
      "f1": 2 * precision * recall / (precision + recall)}, dims={"N": 6})
show("binary", {"p": [False] * 2, "y": [False, True]}, {"precision": 0.0, "recall": 0.0, "f1": 0.0},
     dims={"N": 2})
show("binary_accuracy", {"z": [-0.5, 0.25, 3.0, -1.0], "y": [0.0, 1.0, 0.0, 1.0]}, {"result": 0.5},
     dims={"N": 4})

predicted, actual = [0, 2, 1, 1, 0, 2, 2], [0, 1, 1, 1, 2, 2, 0]
counts = [[sum(p == j and a == i for p, a in zip(predicted, actual)) for j in range(4)]
          for i in range(4)]
found = [counts[i][i] for i in range(4)]
columns = [sum(row[j] for row in counts) for j in range(4)]
rows = [sum(row) for row in counts]
show("confusion", {"p": predicted, "y": actual},
     {"precision": [f / max(c, 1) for f, c in zip(found, columns)],
      "recall": [f / max(r, 1) for f, r in zip(found, rows)],
      "f1": [2 * f / max(c + r, 1) for f, c, r in zip(found, columns, rows)]},
     {"counts": counts}, {"N": 7})

p, y = [2.5, 0.0, 2.0, 8.0], [3.0, -0.5, 2.0, 7.0]
mean = sum(y) / 4
squares = sum((a - b) ** 2 for a, b in zip(p, y))
show("regression", {"p": p, "y": y},
     {"mae": sum(abs(a - b) for a, b in zip(p, y)) / 4, "rmse": math.sqrt(squares / 4),
      "r2": 1 - squares / sum((b - mean) ** 2 for b in y)}, dims={"N": 4})
