"""Emitters, dyes and solar-cell molecules."""

from chemvae.data.catalog.cards.base import Column, Counts, DatasetCard, LocalFile, Upstream

_RAW = "https://raw.githubusercontent.com"
_SMILES = Column("smiles", meaning="as published", role="smiles")
_MAMA = f"{_RAW}/jihuaxlab/OLED-MAMA/b3e465c9ba62dedf330848070b83eca666ce7366/MLs/data"
_TADF = f"{_RAW}/junhkim1226/TADF-Design/607b834d15bec8c60ea9e1cad45d5e082536b825/DFT_data"
_SENSITIZERS = f"{_RAW}/jiali1025/ML_System_for_Photosensitizer_Design/88ef02c8e4647a9a956f81f592ea819f9d0baaf8/data"
_UVVIS = f"{_RAW}/learningmatter-mit/uvvisml/72b2a3ea391f39b8300cefeafd71cae340634740/uvvisml/data"
_UVVIS_SPLITS = f"{_UVVIS}/splits/highest_tddft_peak/20210109_wb97xd3/random"


def _medium(of: str) -> Column:
    return Column(f"{of}_medium", meaning="solvent, host or film of that measurement", role="text")


OLED_MEASURED = DatasetCard(
    name="oled-measured",
    title="measured emission of 2,950 TADF emitters",
    description=(
        "Thermally activated delayed fluorescence materials with values collected by machine from about 1,600 papers: "
        "emission 1,274, quantum yield 1,007, width 375, gap 1,193, S1 695, T1 719; 1,236 rows are structures only."
    ),
    columns=(
        Column("molecule_id", role="id"),
        _SMILES,
        Column("lambda_em_nm", "nm", "emission peak"),
        _medium("lambda_em"),
        Column("plqy_percent", "%", "photoluminescence quantum yield"),
        _medium("plqy"),
        Column("fwhm", "nm", "width of the emission at half height"),
        _medium("fwhm"),
        Column("dEst_meV", "meV", "singlet-triplet gap"),
        _medium("dEst"),
        Column("S1_meV", "meV", "first excited singlet"),
        _medium("S1"),
        Column("T1_meV", "meV", "first triplet"),
        _medium("T1"),
    ),
    citation="OLED-MAMA, https://github.com/jihuaxlab/OLED-MAMA",
    licence="MIT",
    local=(LocalFile("oled_tadf_measured.csv.gz", "3de0b31e8c90fbc373324136a913c17d4d036b88c6ee8024276538dcdc6c0c15", 67_741),),
    upstream=(
        Upstream(
            f"{_MAMA}/smiles_to_id_mapping_12.csv", "8cbf8c5cb12190893ed9d2ab2bbc84d70769982addac9fecaba5ed561cd681f9", 344_481
        ),
        Upstream(
            f"{_MAMA}/mol_PL_data_with_condition.csv",
            "fedd57800449e9d4bd2605703346d6a2f3b4d1d58934c3fd295e6312d09d1fbd",
            57_166,
        ),
        Upstream(
            f"{_MAMA}/mol_energy_data_with_condition_corr.csv",
            "0e049d698a4573820a128ac143da5a59109d0967f3bcb3d484baf7b502d06a5a",
            56_674,
        ),
    ),
    counts=Counts(2_950, 2_950),
    quirks=(
        "Text, pictures and tables were read by machine: S1 minus T1 misses the gap by more than 30 meV in 34 of 591 rows.",
        "27 quantum yields are at most 1 (percent or fraction?), 7 widths above 120 may be meV.",
        "A dozen entries are solvents, salts or fragments; a few structures hold implausible elements (Po, W, As).",
        "Up to 665 characters. 312 molecules are also in oled-dft.",
    ),
)
OLED_DFT = DatasetCard(
    name="oled-dft",
    title="computed energies of 3,800 TADF emitters",
    description=(
        "Emitters from the literature (1,118) and machine-made candidates (blue 685, green 627, red 479, random 905) "
        "with B3LYP/6-31G* geometries and vertical TD-DFT energies."
    ),
    columns=(
        _SMILES,
        Column("homo_eV", "eV", "highest occupied orbital"),
        Column("lumo_eV", "eV", "lowest unoccupied orbital"),
        Column("S1_eV", "eV", "first excited singlet"),
        Column("T1_eV", "eV", "first triplet"),
        Column("dEst_eV", "eV", "S1 minus T1"),
        Column("osc_S1", "1", "oscillator strength of S0 to S1; none for origin literature"),
        Column("origin", meaning="literature, generated_blue, generated_green, generated_red, random_enumerated", role="text"),
    ),
    citation="Harnessing Generative AI for Efficient Organic Materials Discovery in Low-Data Regimes, "
    "https://doi.org/10.5281/zenodo.18297107",
    licence="none stated",
    local=(LocalFile("oled_tadf_dft.csv.gz", "757c8c9425578f7ea7a0d98530dd1212a9b55b4c77658b8c08b9e0a01b922a91", 149_167),),
    upstream=tuple(
        Upstream(f"{_TADF}/{name}", sha256, size)
        for name, sha256, size in (
            ("training_data.csv", "205cd656792920158af616f730e7420c9acf3342e11afd2013505685e793fc29", 161_091),
            ("generated_blue_candidates.csv", "14bbeebf32bc80ab48d015cdcef3a2f71f9c7d4da3d3897d3f74cc72ed8e3def", 121_312),
            ("generated_green_candidates.csv", "b590034e7ec9990a7045397c2b9ae00f10d1e78b8afc4952b120076dfacefa16", 112_520),
            ("generated_red_candidates.csv", "a84c0adc7d856d171c4704fcb75851bf1b6d8b8949c1c086c80c46ce5debbbe3", 92_335),
            ("random_enumerated_candidates.csv", "fb87c05687de4c174c7176f39d2175660900689f6014fa797e4380c9844d95dc", 115_395),
        )
    ),
    counts=Counts(3_814, 3_804),
    quirks=("Atom-map labels of 283 published rows were removed.", "10 rows repeat a molecule."),
)
DONOR_ACCEPTOR = DatasetCard(
    name="donor-acceptor",
    title="computed S1 and T1 of 14,000 donor-acceptor molecules",
    description="Enumerated donor-acceptor (8,051) and donor-acceptor-donor (6,113) molecules, published as photosensitizers.",
    columns=(
        _SMILES,
        Column("homo_lumo_gap_eV", "eV", "orbital gap, B3LYP/6-31G(d)"),
        Column("S1_eV", "eV", "first excited singlet, TD-DFT"),
        Column("T1_eV", "eV", "first triplet, TD-DFT"),
        Column("dEst_eV", "eV", "S1 minus T1"),
        Column("family", meaning="DA or DAD", role="text"),
    ),
    citation="Self-Improving Photosensitizer Discovery System via Bayesian Search with First-Principle Simulations, "
    "J. Am. Chem. Soc. 2021",
    licence="none stated",
    local=(
        LocalFile("donor_acceptor_s1t1.csv.gz", "c3996e8c02599a59584fa8810dbd1f299429adc41602be404429686d3bdfec36", 326_104),
    ),
    upstream=(
        Upstream(
            f"{_SENSITIZERS}/Photosensitizers_DA.csv",
            "e504da4123d3a1e147473487597fb05a5852cd88d1b9921732c006ef46227d53",
            697_953,
        ),
        Upstream(
            f"{_SENSITIZERS}/Photosensitizers_DAD.csv",
            "0a9a4e934e57ac9cea1a4ae0ec288f8051c5aeee545209dac0f381b3f4efcc15",
            763_247,
        ),
    ),
    counts=Counts(14_164, 13_856),
    quirks=(
        "219 rows have T1 below 0 and 3 have S1 above 6 eV: calculations that failed or states that are unstable.",
        "287 rows contain the odd group [SH](=O)=O; 308 rows repeat a molecule.",
    ),
)
CHROMOPHORES = DatasetCard(
    name="chromophores",
    title="measured spectra of 6,800 chromophores in solvents",
    description="One row per chromophore and solvent, 20,236 in all: absorption 17,295, emission 18,142, quantum yield 13,837.",
    columns=(
        Column("tag", role="id"),
        _SMILES,
        Column("solvent_smiles", meaning="solvent, the chromophore itself for solids (956 rows), or gas", role="text"),
        Column("abs_max_nm", "nm", "absorption peak"),
        Column("em_max_nm", "nm", "emission peak"),
        Column("lifetime_ns", "ns", "lifetime of the emission"),
        Column("quantum_yield", "1", "fluorescence quantum yield, 0 to 1"),
        Column("log10_epsilon_per_M_cm", "log10(L/mol/cm)", "molar absorption"),
        Column("abs_fwhm_nm", "nm", "width of the absorption at half height"),
        Column("em_fwhm_nm", "nm", "width of the emission at half height"),
        Column("mol_weight_g_mol", "g/mol", "molecular weight"),
        Column("reference", role="text"),
    ),
    citation="Joung et al., Sci. Data 2020, 7, 295, https://doi.org/10.1038/s41597-020-00634-8",
    licence="CC BY 4.0",
    local=(
        LocalFile("chromophores_deep4chem.csv.gz", "031fa0bb71fdd86149f0c06a52e33785acd85ae433c414bf6042bbe77cec27cd", 476_942),
    ),
    upstream=(
        Upstream(
            f"{_UVVIS}/original/joung/DB_for_chromophore_Sci_Data_rev02.csv",
            "931948b68bc090afc8c067fe294ed6d62352c6df1a72ddfdca24edf323fb2726",
            3_406_886,
            {
                "Tag": "tag",
                "Chromophore": "smiles",
                "Solvent": "solvent_smiles",
                "Absorption max (nm)": "abs_max_nm",
                "Emission max (nm)": "em_max_nm",
                "Lifetime (ns)": "lifetime_ns",
                "Quantum yield": "quantum_yield",
                "log(e/mol-1 dm3 cm-1)": "log10_epsilon_per_M_cm",
                "abs FWHM (nm)": "abs_fwhm_nm",
                "emi FWHM (nm)": "em_fwhm_nm",
                "Molecular weight (g mol-1)": "mol_weight_g_mol",
                "Reference": "reference",
            },
        ),
    ),
    counts=Counts(20_236, 6_815),
    quirks=(
        "Rows repeat molecules in other solvents; preparing keeps the first row of each. Split by molecule, not by row.",
        "6,071 molecules are also in dyes. 33 rows hold several fragments, 1,238 have a net charge.",
    ),
)
DYES = DatasetCard(
    name="dyes",
    title="computed strongest absorption of 28,750 dyes",
    description="Vertical excitation energy of the strongest transition in vacuum (wB97X-D3), with the published random split.",
    columns=(
        _SMILES,
        Column("tddft_peak_eV", "eV", "energy of the strongest transition"),
        Column("split", meaning="train, valid or test, as published", role="split"),
    ),
    citation="Greenman, Green & Gomez-Bombarelli, Chem. Sci. 2022, 13, 1152, https://doi.org/10.1039/D1SC05677H",
    licence="MIT",
    local=(LocalFile("dyes_tddft_peak.csv.gz", "bd848d0506bed249fa2f0bd91e50196924a99698888e77369c7805cce71f7c97", 482_311),),
    upstream=tuple(
        Upstream(
            f"{_UVVIS_SPLITS}/smiles_target_{part}.csv",
            sha256,
            size,
            {"smiles": "smiles", "energy_max_osc": "tddft_peak_eV"},
            {"split": split},
        )
        for part, split, sha256, size in (
            ("train", "train", "2523704402ab56eb30570037ec4698609b3aa7fe7c15a140ede60437da9ffa49", 1_483_188),
            ("val", "valid", "96fddb174318474860c5fe433ae3eb6712562f2a4369321e0afef0e69b2dbf21", 185_495),
            ("test", "test", "73f2bd2d496599b90d6be9aff098a734f501363779dc0d9c48436c75a37456c5", 183_620),
        )
    ),
    counts=Counts(28_751, 28_750),
    split_rule="column",
    quirks=("Salts and metal complexes are among them (43 elements): filter before training at character level.",),
)
OPV = DatasetCard(
    name="opv",
    title="organic solar-cell donors with efficiency objectives",
    description="25,000 molecules of the Clean Energy Project with the objectives of the Tartarus benchmark (xTB).",
    columns=(
        _SMILES,
        Column("pce_pcbm_sas", "1", "efficiency with PCBM in % minus SA score"),
        Column("pce_pcdtbt_sas", "1", "efficiency with PCDTBT in % minus SA score"),
        Column("pce_1", "%", "power conversion efficiency with PCBM"),
        Column("pce_2", "%", "power conversion efficiency with PCDTBT"),
        Column("sas", "1", "synthetic accessibility, 1 (easy) to 10"),
    ),
    citation="Nigam et al., Tartarus, 2022, https://arxiv.org/abs/2209.12487",
    licence="Apache-2.0",
    local=(LocalFile("opv_hce_tartarus.csv.gz", "98cd4808fe7c951f8d166b0655a6bcccb011b2358315d0890976be9457c0673e", 654_214),),
    upstream=(
        Upstream(
            f"{_RAW}/aspuru-guzik-group/Tartarus/5accbf7217e586095760db45ecb94078e1089584/datasets/hce.csv",
            "8b0f48763b288cceae86f00b9107aba7845432889b90fc8255782f235a4f8358",
            3_290_970,
            {name: name for name in ("smiles", "pce_pcbm_sas", "pce_pcdtbt_sas", "pce_1", "pce_2", "sas")},
        ),
    ),
    counts=Counts(24_953, 24_943),
    quirks=(
        "Every molecule is also in opv-cep.",
        "Published SMILES mix Kekule and aromatic forms.",
        "10 rows repeat a molecule.",
    ),
)
OPV_CEP = DatasetCard(
    name="opv-cep",
    title="organic solar-cell candidates with predicted efficiency",
    description="30,000 molecules of the Harvard Clean Energy Project with efficiencies of the Scharber model.",
    columns=(_SMILES, Column("pce_percent", "%", "power conversion efficiency; published values can be negative")),
    citation="Hachmann et al., J. Phys. Chem. Lett. 2011, https://doi.org/10.1021/jz200866s; "
    "selection: Duvenaud et al., 2015, https://arxiv.org/abs/1509.09292",
    licence="MIT",
    local=(LocalFile("opv_cep_pce.csv.gz", "f8d850c5bfd2bb44f4bdb55d25edbd1aba59c96f5ece010ca86fc6281438541a", 437_659),),
    upstream=(
        Upstream(
            f"{_RAW}/HIPS/neural-fingerprint/d26dae3a293a736261fee307b28b37e548c5f218/data/2015-06-02-cep-pce/cep-processed.csv",
            "99c3def57a412e0ac3922194d0605b6a8a9056938706a44bc4ba1d35fe8bc8c0",
            2_119_766,
            {"smiles": "smiles", "PCE": "pce_percent"},
        ),
    ),
    counts=Counts(29_978, 29_966),
    quirks=("12 rows repeat a molecule.",),
)
CARDS = (OLED_MEASURED, OLED_DFT, DONOR_ACCEPTOR, CHROMOPHORES, DYES, OPV, OPV_CEP)
