"""A GPU in minutes: the same loss as on the processor, memory and pace for each batch size; called by gpu.sh.

CHEMVAE_DATA=FOLDER python experiments/02-speed/gpu.py --device cuda --output gpu.json
"""

from __future__ import annotations

import argparse
import copy
from pathlib import Path

import torch

from chemvae.bench.measures.training import train_for, training_settings
from chemvae.bench.workload import Workload, read_workload
from chemvae.runs import environment, write_json
from chemvae.seeding import seeded

HERE = Path(__file__).parent
SEED, N_MOLECULES, N_COMPARED = 0, 100_000, 256
SECONDS, REHEARSAL_S = 15.0, 2.0  # of each training
BATCH_SIZES, REHEARSED = (256, 512, 1024, 2048, 4096), (32, 64)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--output", type=Path, default=HERE / "gpu.json")
    parser.add_argument("--data", default=None, help="zinc250k where it lies on this machine, else virtual-drugs")
    asked = parser.parse_args()
    device = torch.device(asked.device)
    is_gpu = device.type == "cuda"
    work = read_workload(asked.data, N_MOLECULES if is_gpu else 2_000, "gpu" if is_gpu else "tiny", SEED, jobs=1)
    origin = environment()
    rows = [pace(work, size, device) for size in (BATCH_SIZES if is_gpu else REHEARSED)]
    write_json(asked.output, {
        "command": f"sh experiments/02-speed/gpu.sh (DEVICE={asked.device})", "commit": origin["commit"], "seeds": [SEED],
        "versions": origin["versions"], "device": torch.cuda.get_device_name(device) if is_gpu else origin["processor"],
        "data": work.name, "loss": losses(work, device), "training": rows,
    })  # fmt: skip
    for row in rows:
        print(", ".join(f"{name} {value}" for name, value in row.items()))


def losses(work: Workload, device: torch.device) -> dict[str, float]:
    """Cross-entropy, in nats per molecule, of the same weights and codes on both devices and in fp32 on the processor."""
    found = {}
    for name, place, one in (("fp32", "cpu", work.in_fp32()), ("cpu", "cpu", work), (device.type, device, work)):
        model = copy.deepcopy(one.model).to(place).eval()
        batch = next(iter(work.train.epoch(0, N_COMPARED, SEED))).to(torch.device(place))
        with torch.no_grad(), seeded(SEED):
            terms = model(batch, 1)
        found[name] = round(-float(terms.log_px_z.mean()), 4)
    return found


def pace(work: Workload, batch_size: int, device: torch.device) -> dict[str, float]:
    """Molecules a second in training, and the most memory it held."""
    is_gpu = device.type == "cuda"
    if is_gpu:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
    settings = training_settings("gpu" if is_gpu else "tiny", batch_size, SECONDS if is_gpu else REHEARSAL_S, 1, SEED)
    try:
        speed, steps = train_for(work.model, work.train, work.valid, settings, device)
    except torch.cuda.OutOfMemoryError:
        return {"batch_size": batch_size, "molecules_per_s": float("nan")}
    held = torch.cuda.max_memory_allocated(device) / 2**30 if is_gpu else float("nan")
    return {
        "batch_size": batch_size, "molecules_per_s": round(speed.molecules_per_s(work.mean_tokens), 1), "steps": steps,
        "memory_GiB": round(held, 2),
    }  # fmt: skip


if __name__ == "__main__":
    main()
