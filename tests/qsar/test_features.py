"""Codes and descriptors are scaled over the molecules a model is fitted on; gaps are the mean; counts stay counts."""

import pytest
import torch

from chemvae.errors import SettingsError
from chemvae.qsar.features import DESCRIPTORS, Features, Scaling, check_parts
from tests.conftest import MOLECULES


def some(n=30):
    draw = torch.Generator().manual_seed(0)
    z = torch.randn(n, 3, generator=draw, dtype=torch.float64) * 5 + 2
    descriptors = torch.randn(n, len(DESCRIPTORS), generator=draw, dtype=torch.float64) * 100 - 7
    return Features(z, torch.ones(n, 4), descriptors)


def test_what_was_fitted_on_has_mean_zero_and_spread_one():
    given = some()
    scaled = Scaling.fit(given)(given)
    for x in (scaled.z, scaled.descriptors):
        torch.testing.assert_close(x.mean(dim=0), torch.zeros_like(x[0]), atol=1e-12, rtol=0)
        torch.testing.assert_close(x.std(dim=0, correction=0), torch.ones_like(x[0]))
    assert torch.equal(scaled.counts, given.counts)


def test_new_molecules_are_scaled_by_the_old_ones():
    given = some()
    scaled = Scaling.fit(given)(given.part(torch.tensor([4, 2])))
    torch.testing.assert_close(scaled.z, Scaling.fit(given)(given).z[[4, 2]])


def test_gaps_become_the_mean_and_constants_zero():
    given = some()
    given.z[3] = torch.nan
    given.descriptors[:, 5] = 8.0
    given.descriptors[:, 6] = torch.nan
    scaled = Scaling.fit(given)(given)
    assert scaled.z[3].tolist() == [0.0] * 3 and not scaled.descriptors[:, 5:7].any()
    known = torch.cat([given.z[:3], given.z[4:]])
    torch.testing.assert_close(scaled.z[0], (known[0] - known.mean(dim=0)) / known.std(dim=0, correction=0))


def test_molecules_are_described_row_by_row(tiny_model):
    found = Features.of(tiny_model, MOLECULES[:4])
    assert (len(found), found.descriptors.shape, found.counts.shape) == (4, (4, len(DESCRIPTORS)), (4, 2048))
    one = Features.of(tiny_model, MOLECULES[2:3])
    torch.testing.assert_close(one.z[0], found.z[2], atol=1e-5, rtol=1e-5)
    assert torch.equal(one.counts[0], found.counts[2]) and torch.equal(one.descriptors[0], found.descriptors[2])
    benzene = dict(zip(DESCRIPTORS, found.descriptors[2].tolist(), strict=True))
    assert (benzene["rings"], benzene["aromatic_rings"], benzene["heavy_atoms"], benzene["fraction_csp3"]) == (1, 1, 6, 0)


@pytest.mark.parametrize("parts", [(), ("z", "smiles"), ("",)])
def test_parts_that_are_none_are_refused(parts):
    with pytest.raises(SettingsError, match="parts must be some of z, counts, descriptors"):
        check_parts(parts)
