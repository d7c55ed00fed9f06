"""Large sets of drug-like and small molecules."""

from chemvae.data.catalog.cards.base import Column, Counts, DatasetCard, LocalFile, Upstream

_RAW = "https://raw.githubusercontent.com"
_MOSES = "https://media.githubusercontent.com/media/molecularsets/moses/master/data"
_SMILES = Column("smiles", meaning="as published", role="smiles")
_HARTREE = "B3LYP/6-31G(2df,p)"

ZINC250K = DatasetCard(
    name="zinc250k",
    title="250,000 purchasable drug-like molecules",
    description=(
        "A random draw from ZINC that became the common training set of molecular generators. chemvae hands on logP, qed and "
        "SAS computed with today's RDKit and a split by hash, whichever file it reads."
    ),
    columns=(
        _SMILES,
        Column("logP", "1", "octanol-water partition coefficient, Crippen atom contributions"),
        Column("qed", "1", "quantitative estimate of drug-likeness, 0 to 1"),
        Column("SAS", "1", "synthetic accessibility, 1 (easy) to 10"),
        Column("split", meaning="train, valid or test by the hash rule", role="split"),
    ),
    citation=(
        "Gomez-Bombarelli et al., ACS Cent. Sci. 2018, https://doi.org/10.1021/acscentsci.7b00572; "
        "ZINC: Irwin et al., J. Chem. Inf. Model. 2012, https://doi.org/10.1021/ci3001277"
    ),
    licence='ZINC is "free to use for everyone"; the publishing repository is Apache-2.0; the table has no licence of its own',
    local=(LocalFile("zinc250k.csv.gz", "0cbb2880b1288f2c02f8b20c5b14b348f83a5f64245f28b0a03b3def3fb2eb84", 6_082_519),),
    upstream=(
        Upstream(
            f"{_RAW}/aspuru-guzik-group/chemical_vae/main/models/zinc_properties/250k_rndm_zinc_drugs_clean_3.csv",
            "35e3f1a52b1badc0697e373d73a18ad773f415936ff992f4c6baa2e067b3e6ae",
            22_606_589,
            {"smiles": "smiles"},
        ),
    ),
    counts=Counts(239_455, 239_455, (215_725, 11_918, 11_812)),
    upstream_counts="249,455 rows and no split; the local copy leaves 10,000 of them out",
    recompute=("logP", "qed", "SAS"),
    quirks=(
        "In the publisher's file every SMILES ends in a line break inside its quotes; it is stripped.",
        "Its qed column comes from an older implementation: 0.012 to 0.030 lower in the rows we compared, "
        "0.72826 against 0.73184 on average. So the three properties are computed anew.",
        "A quarter of the molecules carries a net charge on purpose; do not neutralise them.",
    ),
)


def _moses(
    name: str, part: str, upstream: Upstream, local: LocalFile, counts: Counts, quirks: tuple[str, ...] = ()
) -> DatasetCard:
    return DatasetCard(
        name=name,
        title=f"MOSES benchmark, {part}",
        description=f"The {part} of the MOSES benchmark of molecular generation, complete and in the published order.",
        columns=(_SMILES,),
        citation="Polykovskiy et al., Front. Pharmacol. 2020, https://doi.org/10.3389/fphar.2020.565644",
        licence="MIT",
        local=(local,),
        upstream=(upstream,),
        counts=counts,
        quirks=("No charges and no stereo, by the benchmark's own filter.", *quirks),
    )


MOSES_TEST = _moses(
    "moses",
    "test set",
    Upstream(
        f"{_MOSES}/test.csv",
        "257165e8f1e1be2d5712db51c93d2b1544564b782dc303d7d19c887c21a858e6",
        7_370_473,
        {"SMILES": "smiles"},
    ),
    LocalFile("moses_test.csv.gz", "57f22ed52a098637af467f8f2673fcf1db983920f8350d70a1cc4b160529e906", 1_367_556),
    Counts(176_074, 176_074),
)
MOSES_SCAFFOLDS = _moses(
    "moses-scaffolds",
    "scaffold test set",
    Upstream(
        f"{_MOSES}/test_scaffolds.csv",
        "8bc942dd807147e07b506151fe8675f58780ed8e494801b705c4bdadb3df3440",
        9_195_363,
        {"SMILES": "smiles"},
    ),
    LocalFile("moses_test_scaffolds.csv.gz", "cef5bd8fd18d7fbbed6523e392be82f0315d170d10bfa81f5c0772725d84f708", 1_274_088),
    Counts(176_225, 176_225),
)
MOSES_TRAIN = _moses(
    "moses-train",
    "training set",
    Upstream(f"{_MOSES}/train.csv", columns={"SMILES": "smiles"}),
    LocalFile("moses_train.csv.gz", "b6c0a07c8bfbcfdbf58b33400ba3e8004b273d86b0263c75a5ea75aded5b80b7", 10_231_081),
    Counts(1_583_560, 1_583_560),
    (
        "The publisher's file has 1,584,663 rows. To measure by the benchmark, train on all rows: its test sets are moses and "
        "moses-scaffolds, and the hash rule would hold back a tenth.",
    ),
)
QM9 = DatasetCard(
    name="qm9",
    title="orbital energies of 15,000 very small molecules",
    description="A random subset of QM9: molecules of up to nine heavy atoms (C, N, O, F) with DFT energies.",
    columns=(
        _SMILES,
        Column("homo_hartree", "hartree", f"highest occupied orbital, {_HARTREE}"),
        Column("lumo_hartree", "hartree", f"lowest unoccupied orbital, {_HARTREE}"),
        Column("gap_hartree", "hartree", "lumo minus homo; times 27.211386 for eV"),
        Column("mu_debye", "D", "dipole moment"),
        Column("alpha_bohr3", "bohr^3", "isotropic polarisability"),
        Column("mol_id", meaning="gdb_N of the full set", role="id"),
    ),
    citation="Ramakrishnan et al., Sci. Data 2014, https://doi.org/10.1038/sdata.2014.22",
    licence="CC0 (QM9); the repository of the subset states none",
    local=(LocalFile("qm9_props_15k.csv.gz", "3402545de7a93f118ed6c60e45c4975dc103587bfc9ab8f555c11d7ab568cca9", 308_764),),
    upstream=(
        Upstream(
            f"{_RAW}/Shreyas-Bhat/MolPropPred/7e92e9988f631b1618e90759f9e1fd4a6e5dc97e/data/qm9_small.csv",
            "6a10c211b5d4759b1588b4a8dba4718a29e9fea48160a1f40e4a77148d29b6e9",
            3_406_601,
            {
                "smiles": "smiles",
                "homo": "homo_hartree",
                "lumo": "lumo_hartree",
                "gap": "gap_hartree",
                "mu": "mu_debye",
                "alpha": "alpha_bohr3",
                "mol_id": "mol_id",
            },
        ),
    ),
    counts=Counts(14_862, 14_712),
    quirks=(
        "Energies are in hartree.",
        "The full table (133,885 rows) is published as https://doi.org/10.6084/m9.figshare.c.978904.v5; "
        "the same column names work with --from.",
        "150 rows repeat a molecule: conformers of which SMILES knows nothing.",
    ),
)
QM9_SMILES = DatasetCard(
    name="qm9-smiles",
    title="132,000 very small molecules, structures only",
    description="QM9 without properties, in Kekule form as published.",
    columns=(_SMILES,),
    citation="Ramakrishnan et al., Sci. Data 2014, https://doi.org/10.1038/sdata.2014.22",
    licence="CC0 (QM9); source repository MIT",
    local=(LocalFile("qm9_smiles.csv.gz", "aaede8a5e2a24eef39427434835ac748274fcc0e55b66bb3463c62c6c8cb9f9b", 336_682),),
    upstream=(
        Upstream(
            f"{_RAW}/wenhao-gao/mol_opt/2da631be85af8d10a2bb43f2de76a03171166190/main/pasithea/datasets/0SelectedSMILES_QM9.txt",
            "49a1d3adb6daf3ba81e9c08afb4b071cfafc6cce942addf81fa51abdf07772fe",
            2_940_158,
        ),
    ),
    counts=Counts(132_040, 131_954),
    quirks=("132,040 of the 133,885 molecules of QM9.",),
)
_CHEMBL_UPSTREAM = (
    f"{_RAW}/gmattedi/SmilesTransformer/ad416f9b6ea59d14daa0193ffe2e134e186cf617/data/chembl_30/chembl_30_chemreps_proc_"
)
CHEMBL = DatasetCard(
    name="chembl",
    title="88,000 molecules of ChEMBL 30",
    description="Two random draws, of 2.5 % each, from a cleaned ChEMBL 30: medicinal chemistry, longer than ZINC's molecules.",
    columns=(_SMILES, Column("chembl_id", meaning="ChEMBL identifier", role="id")),
    citation="ChEMBL: Mendez et al., Nucleic Acids Res. 2019, https://doi.org/10.1093/nar/gky1075",
    licence="CC BY-SA 3.0 (ChEMBL); the repository of the subset states none",
    local=(
        LocalFile("chembl30_45k.csv.gz", "410a48235b845a3a06b1c835ab71eab69d414f1614a8a434096ba003fd244107", 852_247),
        LocalFile("chembl30_43k.csv.gz", "6d2a825993d07945d80ecd9ad1b2b24311108b4b1cf8cd0519873306caa34911", 808_443),
    ),
    upstream=(
        Upstream(
            f"{_CHEMBL_UPSTREAM}valid.csv.gz",
            "90d9a258d89cd386558bfec2a725fdfd175aeaf102d8df448d03fae527c4df3c",
            852_288,
        ),
        Upstream(
            f"{_CHEMBL_UPSTREAM}test.csv.gz",
            "e5cf407858136828249371ecae500f96e5c7d79f649b1c6d37b2a865b1bce5a8",
            849_519,
        ),
    ),
    counts=Counts(88_407, 88_407),
    quirks=(
        "Cleaned by its author: at most 80 characters, desalted, neutralised, rare symbols removed.",
        "The second file lacks 2,192 of the publisher's rows: held back, or in the first file too.",
    ),
)
DRUGCENTRAL = DatasetCard(
    name="drugcentral",
    title="3,949 active ingredients of medicines, with names",
    description="DrugCentral's structures with their names and whether FDA, EMA or PMDA lists them: for maps and neighbours.",
    columns=(
        Column("name", meaning="international nonproprietary name", role="id"),
        _SMILES,
        Column("inchikey", role="text"),
        Column("drugcentral_id", role="text"),
        Column("cas_rn", meaning="CAS registry number", role="text"),
        Column("fda_approved", "1", "1 if on the repository's FDA list"),
        Column("ema_approved", "1", "1 if on its EMA list"),
        Column("pmda_approved", "1", "1 if on its PMDA list"),
    ),
    citation="Avram et al., Nucleic Acids Res. 2023, https://doi.org/10.1093/nar/gkac1085",
    licence="CC BY-SA 4.0",
    local=(LocalFile("drugs_drugcentral.csv.gz", "d735c6c2f8bc905d05081b585abe97288b121aa35c9ad3fc243229839e861b34", 176_173),),
    upstream=(
        Upstream(
            f"{_RAW}/unmtransinfo/DrugCentral-2023/37a81bf71e82d83098bb4391724035688bb009ba/drugcen/static/structures.smiles.tsv",
            "34d8939df00a8615c6e9184774f86a1c0eca385765bd69d844b997ba69257e5a",
            1_034_468,
        ),
    ),
    counts=Counts(3_949, 3_949),
    quirks=(
        "Up to 807 characters; 209 are longer than 120.",
        "Gases, metals and radiopharmaceuticals are among them (28 with isotopes).",
        "The flags are lists of the repository, not a complete history of approvals: FDA 1,734, EMA 204, PMDA 239.",
    ),
)
CARDS = (ZINC250K, MOSES_TRAIN, MOSES_TEST, MOSES_SCAFFOLDS, QM9, QM9_SMILES, CHEMBL, DRUGCENTRAL)
