// Molecules to begin with, by the kind of model.

export const EXAMPLES = {
  drug: [
    ["paracetamol", "CC(=O)Nc1ccc(O)cc1"],
    ["caffeine", "Cn1c(=O)c2c(ncn2C)n(C)c1=O"],
    ["celecoxib", "Cc1ccc(-c2cc(C(F)(F)F)nn2-c2ccc(S(N)(=O)=O)cc2)cc1"],
  ],
  oled: [
    ["mCP", "c1cc(-n2c3ccccc3c3ccccc32)cc(-n2c3ccccc3c3ccccc32)c1"],
    ["PXZ-TRZ", "c1ccc(-c2nc(-c3ccccc3)nc(-c3ccc(N4c5ccccc5Oc5ccccc54)cc3)n2)cc1"],
    ["TPBi", "c1ccc(-n2c(-c3cc(-c4nc5ccccc5n4-c4ccccc4)cc(-c4nc5ccccc5n4-c4ccccc4)c3)nc3ccccc32)cc1"],
  ],
};
