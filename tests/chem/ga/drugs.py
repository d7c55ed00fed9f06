"""Molecules with what makes editing hard: charges, stereo, isotopes, fused and bridged rings, rare elements."""

DRUGS = [
    "CC(=O)Oc1ccccc1C(=O)O",
    "CN1C=NC2=C1C(=O)N(C(=O)N2C)C",
    "C[C@H](NC(C)(C)C)C(=O)c1cccc(Cl)c1",
    "C[NH+](C)CCc1c[nH]c2ccc(CS(=O)(=O)N3CCCC3)cc12",
    "O=C(O[C@@H]1C[C@@H]2CC[C@H](C1)[NH2+]2)c1c[nH]c2ccccc12",
    "CC/C(=C(/CC)c1ccc(O)cc1)c1ccc(O)cc1",
    "COc1cc(Br)ccc1NC(=O)c1cccc([N+](=O)[O-])c1",
    "CN(C)c1ccc(C=[N+]=[N-])cc1",
    "[2H]C([2H])([2H])Oc1ccc(B(O)O)cc1P(C)(C)=O",
    "C1CCC2(CC1)OC1CCCCC1O2",
    "N[S@@](=O)(=O)c1ccc2[se]ccc2c1",
]
