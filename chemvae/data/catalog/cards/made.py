"""Sets that chemvae makes itself, for places without a network."""

from chemvae.data.catalog.cards.base import Column, Counts, DatasetCard

_RECIPE = Column("recipe", meaning="route and building blocks", role="id")
_SMILES = Column("smiles", meaning="canonical", role="smiles")

VIRTUAL_DRUGS = DatasetCard(
    name="virtual-drugs",
    title="25,500 drug-like molecules, enumerated",
    description=(
        "Products of amide couplings, sulfonamide and urea formations, Suzuki couplings, SNAr reactions and reductive "
        "aminations of about 180 common reagents, written by hand; QED >= 0.5 and 150 to 500 g/mol. None was ever measured; "
        "most could be made in one to three steps."
    ),
    columns=(
        _SMILES,
        Column("logP", "1", "octanol-water partition coefficient, Crippen atom contributions"),
        Column("qed", "1", "quantitative estimate of drug-likeness, 0 to 1"),
        Column("SAS", "1", "synthetic accessibility, 1 (easy) to 10"),
        _RECIPE,
    ),
    citation="chemvae",
    licence="MIT, as chemvae",
    counts=Counts(25_539, 25_539),
    maker="virtual-drugs",
    quirks=(
        "A product space: splits by hash share building blocks between parts, so a model does better here than on real data.",
        "Amines that water protonates are written with their charge (22 % of the molecules).",
    ),
)
VIRTUAL_OLEDS = DatasetCard(
    name="virtual-oleds",
    title="124,000 donor-bridge-acceptor emitters, enumerated",
    description=(
        "Buchwald-Hartwig and Suzuki products of 25 donors (carbazoles, acridans, phenoxazine, diarylamines, ...), 20 bridges "
        "and 44 acceptors (triazines, nitriles, sulfones, oxadiazoles, boranes, ...), with one or two donors: the plan of "
        "thermally activated delayed fluorescence emitters. No photophysical value is claimed."
    ),
    columns=(
        _SMILES,
        Column("logP", "1", "octanol-water partition coefficient, Crippen atom contributions"),
        Column("SAS", "1", "synthetic accessibility, 1 (easy) to 10"),
        Column("MW", "g/mol", "average molecular weight"),
        _RECIPE,
    ),
    citation="chemvae",
    licence="MIT, as chemvae",
    counts=Counts(124_225, 124_225),
    maker="virtual-oleds",
    quirks=(
        "SMILES are long; nothing here is padded to the longest.",
        "A product space: splits by hash share building blocks between parts.",
    ),
)
CARDS = (VIRTUAL_DRUGS, VIRTUAL_OLEDS)
