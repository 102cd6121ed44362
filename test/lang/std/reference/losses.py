# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Losses and their gradients by the predictions, by torch.nn.functional."""

import torch
import torch.nn.functional as F

from common import leaf, show

P = [[0.5, -1.25, 3.0], [-4.0, 2.5, 2.25], [10.0, -1.0, 0.875], [0.0, 0.25, -6.5]]
Y = [[0.25, -1.0, 0.5], [0.0, 2.5, 4.0], [1.5, -2.0, 0.5], [7.0, 0.5, -6.0]]
Z = [[0.5, -1.25, 3.0], [-40.0, 2.5, 2.25], [1000.0, -1000.0, 0.875], [0.0, 0.25, -6.5]]
UNIT = [[0.25, 1.0, 0.5], [0.0, 0.75, 0.125], [1.0, 0.0, 0.5], [0.875, 0.5, 0.0]]
SIGNS = [[1.0, -1.0, 1.0], [-1.0, -1.0, 1.0], [-1.0, 1.0, -1.0], [1.0, 1.0, 1.0]]
SHARES = [[0.25, 0.25, 0.5], [1.0, 0.0, 0.0], [0.0, 0.875, 0.125], [0.5, 0.0, 0.5]]
COUNTS = [[0.0, 1.0, 5.0], [2.0, 0.0, 9.0], [3.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
WEIGHT = [0.5, 2.0, 1.25]
CLASSES = [2, 1, 0, 1]
w = torch.tensor(WEIGHT)


def case(name, loss, predictions, **others):
    """A loss of `predictions` and its gradient, beside other inputs."""
    p = leaf(predictions)
    y = loss(p, *(torch.tensor(value) for value in others.values()))
    if y.ndim:
        slope = torch.autograd.grad(y.sum(), p)[0]
    else:
        slope = torch.autograd.grad(y, p)[0]
    show(name, {"p": predictions, **others}, {"loss": y, "slope": slope},
         dims={"N": len(predictions)})


case("mse", F.mse_loss, P, y=Y)
case("mae", F.l1_loss, [[p + 1e-3 for p in row] for row in P], y=Y)
case("mse_sum", lambda p, y: F.mse_loss(p, y, reduction="sum"), P, y=Y)
case("mse_rows", lambda p, y: F.mse_loss(p, y, reduction="none").sum(1), P, y=Y)
case("huber", lambda p, y: F.huber_loss(p, y, delta=1.5), P, y=Y)
case("smooth_l1", lambda p, y: F.smooth_l1_loss(p, y, beta=0.5), P, y=Y)
case("log_cosh", lambda p, y: (torch.logaddexp(p - y, y - p) - torch.log(torch.tensor(2.0))).mean(),
     P, y=Y)
case("cross_entropy", F.cross_entropy, Z, y=CLASSES)
case("cross_entropy_weighted", lambda z, y: F.cross_entropy(z, y, w), P, y=CLASSES)
case("cross_entropy_smooth", lambda z, y: F.cross_entropy(z, y, label_smoothing=0.1), P, y=CLASSES)
case("cross_entropy_all", lambda z, y: F.cross_entropy(z, y, w, ignore_index=-7, label_smoothing=0.2),
     P, y=[2, -7, 0, 1])
case("cross_entropy_ignored", lambda z, y: F.cross_entropy(z, y, ignore_index=1), P, y=CLASSES)
case("cross_entropy_rows",
     lambda z, y: F.cross_entropy(z, y, w, ignore_index=1, reduction="none"), P, y=CLASSES)
case("cross_entropy_shares", F.cross_entropy, Z, y=SHARES)
case("cross_entropy_shares_all", lambda z, y: F.cross_entropy(z, y, w, label_smoothing=0.1),
     P, y=SHARES)
case("nll", lambda p, y: F.nll_loss(F.log_softmax(p, 1), y, w, ignore_index=0), P, y=CLASSES)
case("bce", F.binary_cross_entropy, [[0.25, 0.5, 0.125], [0.75, 1e-9, 0.375]], y=UNIT[:2])
case("bce_with_logits", F.binary_cross_entropy_with_logits, Z, y=UNIT)
case("bce_with_logits_weighted",
     lambda z, y: F.binary_cross_entropy_with_logits(z, y, pos_weight=w), Z, y=UNIT)


def focal(z, y):
    """Lin et al., 2017, (5): -alpha_t (1 - p_t)^gamma log(p_t), for y in {0, 1}."""
    p = torch.sigmoid(z)
    p_t = torch.where(y == 1, p, 1 - p)
    alpha_t = torch.where(y == 1, 0.25, 0.75)
    return (-alpha_t * (1 - p_t) ** 2 * torch.log(p_t)).mean()


case("focal", focal, P, y=[[0.0, 1.0, 1.0], [0.0, 0.0, 1.0], [1.0, 1.0, 0.0], [0.0, 1.0, 1.0]])
case("kl_div", lambda p, y: F.kl_div(F.log_softmax(p, 1), y, reduction="batchmean"), Z[:2] + P[2:],
     y=SHARES)
case("hinge", lambda p, y: torch.clamp(1 - y * p, min=0).mean(), P, y=SIGNS)
case("squared_hinge", lambda p, y: (torch.clamp(1 - y * p, min=0) ** 2).mean(), P, y=SIGNS)
case("cosine_embedding",
     lambda p, b, y: F.cosine_embedding_loss(p, b, y, margin=0.25), P, b=Y, y=[1.0, -1.0, -1.0, 1.0])


def contrastive(a, b, y):
    """Hadsell et al., 2006, (4), with y = 1 for pairs that belong together."""
    d = torch.linalg.vector_norm(a - b, dim=1)
    return (y * d ** 2 / 2 + (1 - y) * torch.clamp(1.5 - d, min=0) ** 2 / 2).mean()


CLOSE = [[p + 0.25 for p in row] for row in P]
case("contrastive", contrastive, P, b=CLOSE, y=[1.0, 0.0, 0.0, 1.0])
# A distance of 0 has no derivative; the library's is 0 there.
case("triplet", lambda p, b, c: F.triplet_margin_loss(p, b, c, margin=2.5, eps=0.0), P, b=CLOSE, c=Y)
case("poisson_nll", F.poisson_nll_loss, P, y=COUNTS)
case("poisson_nll_full", lambda p, y: F.poisson_nll_loss(p, y, full=True), P, y=COUNTS)
case("gaussian_nll", lambda p, y, v: F.gaussian_nll_loss(p, y, v), P, y=Y,
     v=[[0.25, 1.0, 0.5], [2.0, 0.75, 0.125], [1.0, 3.0, 0.5], [0.875, 0.5, 1e-9]])
case("gaussian_nll_full", lambda p, y, v: F.gaussian_nll_loss(p, y, v, full=True), P, y=Y,
     v=[[0.25, 1.0, 0.5], [2.0, 0.75, 0.125], [1.0, 3.0, 0.5], [0.875, 0.5, 1e-9]])

# What no reference has: all rows ignored, certain and wrong probabilities, equal points.
show("cross_entropy_ignored", {"p": P, "y": [1, 1, 1, 1]}, {"loss": 0.0, "slope": [[0.0] * 3] * 4},
     dims={"N": 4})
show("bce", {"p": [[0.0, 1.0, 0.0]], "y": [[1.0, 0.0, 0.0]]}, {"loss": 200 / 3, "slope": [[0.0, 0.0, 1 / 3]]},
     dims={"N": 1})
show("contrastive", {"p": P[:1], "b": P[:1], "y": [0.0]}, {"loss": 1.125, "slope": [[0.0] * 3]},
     dims={"N": 1})
z = leaf([-50.0, -0.5, 0.0, 0.75, 50.0])
show("curvature", {"z": z}, {"bce": torch.sigmoid(z) * torch.sigmoid(-z),
                             "log_cosh": 1 - torch.tanh(z) ** 2,
                             "huber": (abs(z) < 1).double()}, dims={"N": 5})
