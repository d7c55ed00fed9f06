"""Small sets of measured properties, for learning from few labels."""

from chemvae.data.catalog.cards.base import Column, Counts, DatasetCard, LocalFile, Upstream

_RAW = "https://raw.githubusercontent.com"
_MOLECULENET = "GeorgeBatch/moleculenet/417251a08054c16d88bac8e9be895e66ee56742c/data"
_SMILES = Column("smiles", meaning="as published", role="smiles")

ESOL = DatasetCard(
    name="esol",
    title="aqueous solubility of 1,100 compounds",
    description="Delaney's collection of measured solubilities in water.",
    columns=(
        _SMILES,
        Column("log10_solubility_mol_per_L", "log10(mol/L)", "measured"),
        Column("esol_predicted_log10_solubility", "log10(mol/L)", "Delaney's own linear model"),
        Column("compound", meaning="name", role="id"),
    ),
    citation="Delaney, J. Chem. Inf. Comput. Sci. 2004, https://doi.org/10.1021/ci034243x; "
    "MoleculeNet: Wu et al., Chem. Sci. 2018, https://doi.org/10.1039/C7SC02664A",
    licence="MIT (deepchem repository)",
    local=(LocalFile("esol.csv.gz", "4623a134328b4851e92d87f737696159f11163b4eb89558a0e5945958aac5969", 21_085),),
    upstream=(
        Upstream(
            f"{_RAW}/deepchem/deepchem/fbe3b911a94a6eb8c84c1a9e7ac67a472c49ea80/datasets/delaney-processed.csv",
            "8c06a76f0c6487d29ab0f903e6a7a7139f189ab3c1178f159c8be8964602f189",
            96_699,
            {
                "smiles": "smiles",
                "measured log solubility in mols per litre": "log10_solubility_mol_per_L",
                "ESOL predicted log solubility in mols per litre": "esol_predicted_log10_solubility",
                "Compound ID": "compound",
            },
        ),
    ),
    counts=Counts(1_128, 1_117),
    quirks=("11 molecules occur twice.", "340 molecules are also in freesolv, 429 in dyes."),
)
FREESOLV = DatasetCard(
    name="freesolv",
    title="hydration free energies of 642 small molecules",
    description="Measured and simulated free energies of moving a molecule from the gas into water.",
    columns=(
        _SMILES,
        Column("dG_hyd_exp_kcal_per_mol", "kcal/mol", "measured"),
        Column("dG_hyd_calc_kcal_per_mol", "kcal/mol", "alchemical molecular dynamics"),
        Column("name", meaning="name", role="id"),
    ),
    citation="Mobley & Guthrie, J. Comput.-Aided Mol. Des. 2014, https://doi.org/10.1007/s10822-014-9747-x",
    licence="FreeSolv is published under CC BY; the repository states none",
    local=(LocalFile("freesolv.csv.gz", "8c67831e184ad9eae9b2e24e2d9b8eb8740e02cd5142bd661816c2508ca9f282", 10_677),),
    upstream=(
        Upstream(
            f"{_RAW}/{_MOLECULENET}/freesolv_original.csv",
            "a4fbf3b28fe2e604d6bd7ea0e20b4494ff732400a80f58d1b393677cfbc1b06c",
            31_417,
            {
                "smiles": "smiles",
                "expt": "dG_hyd_exp_kcal_per_mol",
                "calc": "dG_hyd_calc_kcal_per_mol",
                "iupac": "name",
            },
        ),
    ),
    counts=Counts(642, 642),
    quirks=("340 molecules are also in esol, 341 in dyes.",),
)
LIPOPHILICITY = DatasetCard(
    name="lipophilicity",
    title="octanol/water distribution of 4,200 drug-like compounds",
    description="Log D at pH 7.4 measured at AstraZeneca and deposited in ChEMBL.",
    columns=(
        _SMILES,
        Column("logD_pH7_4", "1", "log10 of the octanol/water distribution coefficient at pH 7.4, measured"),
        Column("chembl_id", meaning="ChEMBL identifier", role="id"),
    ),
    citation="ChEMBL document CHEMBL3301361; MoleculeNet: Wu et al., Chem. Sci. 2018, https://doi.org/10.1039/C7SC02664A",
    licence="CC BY-SA 3.0 (ChEMBL); the repository states none",
    local=(LocalFile("lipophilicity.csv.gz", "a7a9b0c841c4e9b3037f8c5f56c80c49e7011cc5bd9fe21feddb93b199685382", 76_316),),
    upstream=(
        Upstream(
            f"{_RAW}/{_MOLECULENET}/lipophilicity_original.csv",
            "3d2a409dc8bdf620876bb7257faf4996df29a19dd0244d0b4a6a8064c306cded",
            278_405,
            {"smiles": "smiles", "exp": "logD_pH7_4", "CMPD_CHEMBLID": "chembl_id"},
        ),
    ),
    counts=Counts(4_200, 4_200),
    quirks=("One row holds several fragments; up to 267 characters.", "382 molecules are also in drugcentral."),
)
CARDS = (ESOL, FREESOLV, LIPOPHILICITY)
