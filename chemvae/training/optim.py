"""The optimizer of the weights, and the Fabric that places them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from chemvae.models.storage import find_device

if TYPE_CHECKING:  # two seconds that a process which does not train can spare
    from lightning_fabric import Fabric


def make_fabric(device: str, number: int | None = None) -> Fabric:
    """One device of the machine: "auto", "cpu", "cuda", "cuda:1" or "mps"; ``number`` says which GPU where none is named."""
    from lightning_fabric import Fabric

    found = find_device(device)
    index = number if found.index is None and found.type == "cuda" else found.index
    return Fabric(accelerator=found.type, devices=1 if index is None else [index], precision="32-true")


def make_optimizer(model: nn.Module, learning_rate: float, weight_decay: float) -> torch.optim.AdamW:
    """AdamW over a model's parameters; matrices decay, biases do not."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    matrices, vectors = ([p for p in parameters if (p.ndim >= 2) == large] for large in (True, False))
    groups = [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=learning_rate, fused=parameters[0].device.type in ("cpu", "cuda"))
