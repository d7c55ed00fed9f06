"""Examine an installation: versions, device, processor, optional parts, and whether the whole path works."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import time
from dataclasses import dataclass

from chemvae.cache import cache_folder

CORE = ("torch", "rdkit", "numpy", "pandas", "pyarrow", "scikit-learn", "botorch", "lightning-fabric", "safetensors", "loky")
EXTRAS = {
    "maps": ("pacmap", "openTSNE", "umap"),
    "eval": ("fcd",),
    "qc": ("tblite", "scine_sparrow"),
    "dft": ("pyscf",),
    "zstd": ("zstandard",),
    "xlsx": ("openpyxl", "xlsxwriter"),
    "app": ("fastapi", "uvicorn", "jinja2", "python_multipart", "openpyxl", "xlsxwriter"),
    "ray": ("ray",),
    "library": ("duckdb", "usearch"),
    "flows": ("zuko",),
    "plausible": ("molbloom", "chembl_gen_check"),
    "admet": ("admet_ai",),
    "dock": ("dockstring",),
    "molscore": ("molscore",),
    "log": ("wandb", "mlflow"),
    "tensorboard": ("tensorboard",),
    "notebook": ("ipykernel", "nbclient", "nbformat"),
}
"""Extra -> modules it brings."""
PURPOSES = {
    "maps": "maps by PaCMAP, t-SNE and UMAP",
    "eval": "the Frechet ChemNet distance",
    "qc": "semi-empirical orbitals and excited states (xtb_gap, tddftb_S1, ...)",
    "dft": "excited states by density-functional theory (ris_S1, tda_S1, ...)",
    "zstd": ".zst files",
    "xlsx": "workbooks",
    "app": "chemvae serve, the app in the browser",
    "ray": "--engine ray",
    "library": "an index of very large libraries, and DuckDB",
    "flows": "--posterior iaf",
    "plausible": "what is in stock, and scaffolds known in ChEMBL",
    "admet": "ADMET properties (--oracle admet:NAME)",
    "dock": "docking (--oracle dock:TARGET)",
    "molscore": "benchmark tasks (--oracle molscore:TASK)",
    "log": "logging to Weights & Biases or MLflow",
    "tensorboard": "--tensorboard",
    "notebook": "the notebooks in notebooks/",
}


@dataclass(frozen=True)
class Finding:
    """One thing examined."""

    topic: str
    state: str
    """ok, note (works without) or broken."""
    text: str
    remedy: str = ""
    """What to do, where something is to be done."""


def examine(self_test: bool = True) -> list[Finding]:
    """Examine this installation.

    Parameters
    ----------
    self_test : bool
        Also train a tiny model, encode and decode with it (some seconds).

    Returns
    -------
    list of Finding

    Examples
    --------
    >>> all(finding.state in ("ok", "note", "broken") for finding in examine(self_test=False))
    True
    """
    findings = [_python(), *_core_packages(), _rdkit_clash()]
    if any(finding.state == "broken" for finding in findings):
        return findings
    findings += [_device(), _processor(), _kernels(), *(_extra(name) for name in EXTRAS), _cache(), _data_folder(), _models()]
    return findings + ([_self_test()] if self_test else [])


def _python() -> Finding:
    return Finding("Python", "ok", f"{platform.python_version()} on {platform.platform()}")


def _core_packages() -> list[Finding]:
    versions = {name: _version(name) for name in ("chemvae", *CORE)}
    missing = [name for name in CORE if versions[name] is None]
    if missing:
        return [Finding("packages", "broken", f"missing: {', '.join(missing)}", f"pip install {' '.join(missing)}")]
    listed = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    return [Finding("packages", "ok", listed)]


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _rdkit_clash() -> Finding:
    """An old package of another name installs into the same folder and breaks the current one."""
    if old := _version("rdkit-pypi"):
        remedy = "pip uninstall -y rdkit-pypi rdkit && pip install rdkit"
        return Finding("RDKit", "broken", f"rdkit-pypi {old} is installed over rdkit and breaks it.", remedy)
    try:
        from chemvae.chem.molecules import canonicalize

        answer = canonicalize("OCC")
    except Exception as error:  # whatever its import raises is the finding
        return Finding("RDKit", "broken", f"it cannot be imported: {error}", "pip install --force-reinstall rdkit")
    state = "ok" if answer == "CCO" else "broken"
    return Finding("RDKit", state, f"canonicalises OCC to {answer}")


def _device() -> Finding:
    import torch

    if torch.cuda.is_available():
        names = ", ".join(f"cuda:{i} {torch.cuda.get_device_name(i)}" for i in range(torch.cuda.device_count()))
        return Finding("device", "ok", f"{names}; --device auto takes the first")
    if getattr(torch.backends, "mps", None) and torch.backends.mps.is_available():
        return Finding("device", "ok", "an Apple GPU (--device mps); --device auto takes the CPU")
    build = (
        "a build without CUDA" if torch.version.cuda is None else f"a build for CUDA {torch.version.cuda}, and no GPU is seen"
    )
    return Finding("device", "ok", f"CPU, {torch.get_num_threads()} threads (torch {torch.__version__} is {build})")


def _processor() -> Finding:
    import torch

    from chemvae.models.gru.layer import bf16_is_fast

    capability = torch.backends.cpu.get_cpu_capability()
    if bf16_is_fast():
        return Finding("processor", "ok", f"{capability}; multiplies bf16 in hardware, which training uses")
    return Finding(
        "processor", "note", f"{capability}; no bf16 in hardware: training runs in fp32, more slowly, to the same figures"
    )


def _kernels() -> Finding:
    from chemvae.models.gru.kernels import kernels_in_use

    used = kernels_in_use()
    if used["kind"] == "compiled":
        products = f", with torch's small products in {' and '.join(used['small_products'])}" if used["small_products"] else ""
        text = f"the fused gate kernels are compiled and loaded ({used['isa']}{products}; sha256 {used['sha256'][:16]})"
        return Finding("kernels", "ok", text)
    if os.environ.get("CHEMVAE_NO_COMPILER"):
        return Finding("kernels", "note", "switched off by CHEMVAE_NO_COMPILER; the same numbers, more slowly")
    remedy = "Install a C compiler (gcc or clang) to train faster on the CPU."
    return Finding("kernels", "note", "no fused gate kernels: the same numbers, more slowly", remedy)


def _extra(name: str) -> Finding:
    missing = [module for module in EXTRAS[name] if importlib.util.find_spec(module) is None]
    topic = f"extra {name}"
    if not missing:
        return Finding(topic, "ok", PURPOSES[name])
    return Finding(topic, "note", f"not installed: {', '.join(missing)} ({PURPOSES[name]})", f"pip install 'chemvae[{name}]'")


def _cache() -> Finding:
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".probe-{os.getpid()}"
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        remedy = "Set CHEMVAE_CACHE to a folder you can write to."
        return Finding("cache", "note", f"{folder} cannot be written ({error.strerror}).", remedy)
    return Finding("cache", "ok", str(folder))


def _data_folder() -> Finding:
    given = os.environ.get("CHEMVAE_DATA", "")
    if not given:
        return Finding("data", "ok", "CHEMVAE_DATA is not set: sets are downloaded or made when asked for")
    missing = [part for part in given.split(os.pathsep) if part and not os.path.isdir(part)]
    if missing:
        return Finding("data", "note", f"CHEMVAE_DATA names {', '.join(missing)}, which is no folder", "Correct or unset it.")
    return Finding("data", "ok", f"CHEMVAE_DATA is {given}")


def _models() -> Finding:
    from chemvae.models.storage import shipped_models

    names = shipped_models()
    return Finding("models", "ok", f"shipped: {', '.join(names)}" if names else "none shipped; train one with chemvae train")


def _self_test() -> Finding:
    """Train a tiny model some steps, encode and decode with it."""
    started = time.perf_counter()
    try:
        problem = _walk_the_path()
    except Exception as error:  # whatever it raises is the finding
        problem = f"{type(error).__name__}: {error}"
    seconds = time.perf_counter() - started
    if problem:
        return Finding(
            "self-test", "broken", problem, "Reinstall chemvae in a fresh environment; if it stays, report this output."
        )
    return Finding("self-test", "ok", f"a tiny model trained, encoded and decoded in {seconds:.0f} s")


def _walk_the_path() -> str:
    """Return what went wrong, "" if nothing did."""
    import numpy as np
    import pandas as pd

    from chemvae import api

    smiles = ["C" * n + tail for n in range(1, 17) for tail in ("O", "N", "c1ccccc1", "C(=O)O")]
    split = ["valid" if i % 5 == 4 else "train" for i in range(len(smiles))]
    model = api.train(
        pd.DataFrame({"smiles": smiles, "split": split}), preset="tiny", epochs=2, batch_size=8, encoder_dim=16, decoder_dim=32,
        latent_dim=8, embedding_dim=8, min_kl=0.0, min_active_units=0.0, device="cpu",
    )  # fmt: skip
    z = model.encode(smiles)
    if z.shape != (len(smiles), 8) or not np.isfinite(z).all():
        return f"encoding gave {z.shape} with {int(np.isnan(z).sum())} gaps"
    decoded = model.decode(z)
    if len(decoded) != len(smiles) or not np.isfinite(decoded["log_prob"]).all():
        return "decoding gave no probabilities"
    return ""
