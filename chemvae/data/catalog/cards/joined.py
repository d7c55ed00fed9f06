"""Sets that join others: one row per molecule and medium, one column per source and property."""

from chemvae.data.catalog.cards.base import Column, Counts, DatasetCard
from chemvae.data.catalog.cards.drugs import CHEMBL, DRUGCENTRAL, ZINC250K
from chemvae.data.catalog.cards.made import VIRTUAL_OLEDS
from chemvae.data.catalog.cards.materials import CHROMOPHORES, DONOR_ACCEPTOR, DYES, OLED_DFT, OLED_MEASURED, OPV, OPV_CEP

_PARTS = (OLED_DFT, OLED_MEASURED, DONOR_ACCEPTOR, CHROMOPHORES, DYES, OPV, OPV_CEP, VIRTUAL_OLEDS)
_COMPUTED = {"mol_weight_g_mol", "sas", "SAS", "logP", "MW"}  # follow from the structure: chemvae computes them itself


def joined_name(part: str, column: str) -> str:
    """What a column of a part is called in the set that joins it.

    Examples
    --------
    >>> joined_name("oled-dft", "S1_eV")
    'oled_dft_S1_eV'
    """
    return f"{part.replace('-', '_')}_{column}"


def taken_columns(part: DatasetCard) -> tuple[Column, ...]:
    """The labels of a part that a joined set takes, and the media they were measured in."""
    media = tuple(column for column in part.columns if column.role == "text" and column.name.endswith("_medium"))
    return (*(column for column in part.columns if column.role == "property" and column.name not in _COMPUTED), *media)


def _joined(part: DatasetCard) -> tuple[Column, ...]:
    return tuple(
        Column(joined_name(part.name, column.name), column.unit, f"{part.name}: {column.meaning or column.name}", column.role)
        for column in taken_columns(part)
    )


OLED = DatasetCard(
    name="oled",
    title="emitters, dyes and solar-cell molecules: eight sets as one",
    description=(
        "The union of oled-dft, oled-measured, donor-acceptor, chromophores, dyes, opv, opv-cep and virtual-oleds, cleaned. "
        "Each molecule stands in one part of the split, whatever set it came from. A value of one source is never mixed with "
        "that of another: every source has columns of its own, empty where it says nothing of a molecule."
    ),
    columns=(
        Column("smiles", meaning="canonical, the largest organic fragment", role="smiles"),
        Column("solvent", meaning="of the chromophores columns: a SMILES, solid or gas; else empty", role="text"),
        *(column for part in _PARTS for column in _joined(part)),
        Column("sets", meaning="names of the sets that hold the molecule, joined by semicolons", role="text"),
        Column("split", meaning="train, valid or test by molecule: the hash rule on the canonical SMILES", role="split"),
        Column("split_scaffold", meaning="train, valid or test: the hash rule on the Bemis-Murcko scaffold", role="text"),
    ),
    citation="; ".join(f"{part.name}: {part.citation}" for part in _PARTS),
    licence="; ".join(f"{part.name}: {part.licence}" for part in _PARTS),
    counts=Counts(215_647, 202_552, (182_133, 10_241, 10_178)),
    split_rule="column",
    parts=tuple(part.name for part in _PARTS),
    quirks=(
        "78,481 of the molecules come from the real sets: oled-dft 3,798, oled-measured 2,862, donor-acceptor 13,574, "
        "chromophores 6,799, dyes 28,256, opv 24,943, opv-cep 29,966, many of them in several. 124,225 are virtual and have no "
        "labels, but for 154 that are real too.",
        "Further rows of a molecule are other solvents of chromophores. The first row holds the labels of all other sources.",
        "Left out: 560 rows with elements that no emitter here holds (metals, Po, As, Te, ions without carbon: dyes 494, "
        "oled-measured 55, chromophores 11), 293 with the odd group [SH](=O)=O (donor-acceptor 287, oled-dft 6), 16 radicals, "
        "and 31 solvents, salts and fragments without labels among oled-measured. Of salts the largest organic fragment stays.",
        "Labels not believed are missing: of donor-acceptor all where T1 lies below 0 or S1 above 6 eV; of oled-measured what "
        "was simulated, quantum yields of at most 1 (percent or fraction?), widths above 120 (nm or meV?), and S1, T1 and the "
        "gap where they contradict each other by more than 100 meV.",
        "split_scaffold: train 182,644, valid 9,920, test 9,988. Use one of the two splits throughout: they differ.",
        "A vertical excitation (oled_dft, donor_acceptor, dyes) is no emission; a Stokes shift lies between them.",
    ),
)
_DRUG_PARTS = (ZINC250K, CHEMBL, DRUGCENTRAL)
DRUGS = DatasetCard(
    name="drugs",
    title="drug-like molecules: three sets as one",
    description=(
        "The union of zinc250k, chembl and drugcentral: purchasable molecules, medicinal chemistry and medicines. Each "
        "molecule stands in one part of the split, whatever set it came from."
    ),
    columns=(
        Column("smiles", meaning="canonical, the largest organic fragment, charged as its source writes it", role="smiles"),
        Column("logP", "1", "octanol-water partition coefficient, Crippen atom contributions"),
        Column("qed", "1", "quantitative estimate of drug-likeness, 0 to 1"),
        Column("SAS", "1", "synthetic accessibility, 1 (easy) to 10"),
        Column("sets", meaning="names of the sets that hold the molecule, joined by semicolons", role="text"),
        Column("split", meaning="train, valid or test by the hash rule on the canonical SMILES", role="split"),
    ),
    citation="; ".join(f"{part.name}: {part.citation}" for part in _DRUG_PARTS),
    licence="; ".join(f"{part.name}: {part.licence}" for part in _DRUG_PARTS),
    split_rule="column",
    parts=tuple(part.name for part in _DRUG_PARTS),
    pooled=True,
    counts=Counts(331_035, 331_035, (298_052, 16_446, 16_537)),
    quirks=(
        "322 molecules stand in two sets. 364 are left out since they are for training and a stereoisomer of each is held out.",
        "Of a salt the largest organic fragment stays. Charges stay: ZINC's are those at pH 7, ChEMBL has few.",
        "Left out: elements other than H, B, C, N, O, F, Si, P, S, Cl, Se, Br and I, what has no carbon, radicals, isotopes.",
        "199 molecules, nearly all of drugcentral, are longer than 120 characters; the longest has 806.",
    ),
)
CARDS = (OLED, DRUGS)
