"""report.html of the demo: one file, no network. What was written, read, improved, found; the map; the model; the library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from chemvae.demo.searches import KEPT_SHARE
from chemvae.demo.sections.improvements import improvement_section
from chemvae.demo.sections.model import data_section, model_section, samples_section
from chemvae.demo.sections.molecule import molecule_section
from chemvae.demo.sections.searches import search_section
from chemvae.demo.sections.words import percent
from chemvae.maps import map_component
from chemvae.pages import Html, escape, page, section, tiles

if TYPE_CHECKING:
    from chemvae.demo.findings import Findings
    from chemvae.demo.molecule import Study

_STYLE = Html(
    "<style>pre{background:var(--page);border:1px solid var(--line);border-radius:8px;padding:12px 14px;"
    "overflow-x:auto}</style>"
)
Tile = tuple[str, str, str]


def render(findings: Findings, results: Mapping[str, Any]) -> str:
    """Return the report as one HTML document."""
    sections = [
        _STYLE,
        tiles(_trained_tiles(findings) if findings.is_trained else _shipped_tiles(findings)),
        samples_section(findings),
        molecule_section(findings.study),
        improvement_section(findings.improvements, findings.sizes.start_budget),
        *(
            search_section(one, one.task.best_known(findings.reference), findings.reference_name)
            for one in findings.comparisons
        ),
        _map(findings),
        model_section(findings),
        data_section(findings),
        _next(findings.name, results["next"]),
    ]
    lead = _lead(findings, results["seconds"]["total"])
    return page("From SMILES to designed molecules", sections, lead=lead, footer=_footer(results), scripts=["/* of the map */"])


def _lead(findings: Findings, seconds: float) -> str:
    if findings.is_trained:
        return (
            f"In {seconds:.0f} seconds on this machine chemvae made {len(findings.table):,} molecules, trained a small "
            "variational autoencoder on them and searched its latent space. Every number here is from this one run."
        )
    but = "" if findings.card is None else f", but for those said to be from the model's card ({findings.card.source})"
    return (
        f"In {seconds:.0f} seconds on this machine the model '{findings.name}' wrote, read, predicted and designed molecules. "
        f"Nothing was downloaded, and nothing had to be trained first. Every number is from this one run{but}."
    )


def _trained_tiles(findings: Findings) -> list[Tile]:
    f = findings.evaluation.figures
    share = f["validity_learned_prior"] if f["validity_learned_prior"] is not None else f["validity_prior_sampled"]
    n_train = findings.preparation["splits"].get("train", 0)
    return [
        (f"{n_train:,}", "training molecules", "made on this machine by RDKit reactions"),
        (f"{_last(findings, 'elapsed_s'):.0f} s", "of training", f"{len(findings.learning)} epochs on the CPU"),
        (percent(f["reconstruction_greedy"]), "reconstructed", f"of {f['n_molecules']:,} held-out molecules"),
        (f"{f['kl']:.0f} nats", "per molecule in z", "KL to the prior"),
        (percent(share), "of samples valid", "raw decoder, temperature 1"),
    ]


def _last(findings: Findings, column: str) -> float:
    """A figure of the last epoch."""
    return float(findings.learning[column].iloc[-1]) if column in findings.learning else float("nan")


def _shipped_tiles(findings: Findings) -> list[Tile]:
    f = findings.evaluation.figures
    found = [
        (
            percent(f["reconstruction_greedy"]),
            "of library molecules come back",
            f"{f['n_molecules']:,} that were not trained on",
        ),
        *_improved(findings),
        *_around(findings.study),
    ]
    return [*_card_tiles(findings), *found]


def _around(study: Study | None) -> list[Tile]:
    """How many molecules the neighbourhood of one holds."""
    if study is None:
        return []
    return [
        (str(len(study.near)), f"other molecules around {study.molecule.name or 'one'}", f"from {study.n_near} points near it")
    ]


def _card_tiles(findings: Findings) -> list[Tile]:
    """The two shares that say most of a model, as its card gives them."""
    if findings.card is None:
        return []
    words = {
        "reconstruction_greedy": "of held-out molecules come back",
        "validity_learned_prior": "of samples are molecules",
    }
    shares = {name: findings.card.share(name) for name in words}
    return [(percent(share), words[name], "from the model's card") for name, share in shares.items() if share is not None]


def _improved(findings: Findings) -> list[Tile]:
    """The first given molecule, if something better was found."""
    if not findings.improvements:
        return []
    one = findings.improvements[0]
    best = max((float(row["qed"]) for row in map(one.best, one.results) if row is not None), default=None)
    if best is None:
        return []
    return [
        (
            f"{one.qed:.2f} → {best:.2f}",
            f"QED of {one.name or 'a molecule'}, at its size",
            f"the best of {findings.sizes.start_budget} analogues with {KEPT_SHARE:.0%} of its atoms or more",
        )  # fmt: skip
    ]


def _map(findings: Findings) -> Html:
    found = findings.map
    trusted = found.quality["trustworthiness"]
    note = "Two of many dimensions" + (f": trustworthiness {trusted:.2f} of 1." if trusted == trusted else ".")
    component, assets = map_component(
        found.xy, found.smiles, found.columns, "Latent space", color="where from", trajectories=found.trajectories,
        axis_labels=found.axis_labels, note=note, height="620px", key="space",
    )  # fmt: skip
    lead = (
        "Each dot is a molecule at its posterior mean, seen along the two principal components of the "
        f"{findings.reference_name}: "
        "its molecules, samples of the model, and what the searches for a large 5 QED − SAS scored. The lines follow the best "
        "molecule of each search from call to call, and the way from one molecule to another. Point at a dot to see its "
        "structure."
    )
    return section("The map", Html(component), Html(assets), lead=lead)


def _next(name: str, commands: Sequence[str]) -> Html:
    python = (
        "import chemvae\n\n"
        f'model = chemvae.load("{name}")\n'
        "new = chemvae.sample(model, 100)\n"
        'result = chemvae.optimize(model, lambda smiles: smiles.count("O"), budget=100)\n'
        "result.best"
    )
    blocks = [Html(f"<pre>{escape(text)}</pre>") for text in ("\n".join(commands), python)]
    return section("What to try next", *blocks)


def _footer(results: Mapping[str, Any]) -> str:
    place = results["environment"]
    versions = ", ".join(f"{name} {version}" for name, version in place["versions"].items())
    times = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in results["seconds"].items())
    machine = f"{place['processor']}, {place['cores']} cores, Python {place['python']}"
    return f"{times}. {machine}; {versions}. This page needs no network."
