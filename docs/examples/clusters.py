"""A library in five groups by its place in latent space, and a molecule from the middle of each."""

from sklearn.cluster import KMeans

import chemvae

model = chemvae.load("drug")
molecules = chemvae.sample(model, 100, seed=1).query("valid")["smiles"].tolist()
z = model.encode(molecules)
groups = KMeans(5, random_state=0).fit(z)
for centre in groups.cluster_centers_:
    print(molecules[((z - centre) ** 2).sum(axis=1).argmin()])
