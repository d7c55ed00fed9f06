"""Scaling, likelihood and calibration of the property predictor."""

import copy

import pytest
import torch

from chemvae.models.predictor import PropertyPredictor


def test_log_prob_is_the_gaussian_density_of_standardised_labels():
    predictor = PropertyPredictor(3, 8, 2).double()
    labels = torch.tensor([[1.0, 10.0], [3.0, 30.0], [2.0, 50.0]], dtype=torch.float64)
    predictor.fit_scale(labels)
    z = torch.randn(3, 3, dtype=torch.float64)
    mean, std = predictor(z)
    expected = torch.distributions.Normal(mean, std).log_prob(labels) + predictor.label_std.log()
    torch.testing.assert_close(predictor.log_prob(z, labels), expected.sum(dim=1))


def test_scale_ignores_nan_and_survives_constants():
    predictor = PropertyPredictor(3, 8, 3)
    predictor.fit_scale(torch.tensor([[1.0, 5.0, torch.nan], [3.0, 5.0, torch.nan], [torch.nan, 5.0, torch.nan]]))
    assert predictor.label_mean.tolist() == [2.0, 5.0, 0.0]
    assert predictor.label_std[1:].tolist() == [1.0, 1.0]


def test_several_heads_answer_as_the_mixture_of_their_gaussians():
    torch.manual_seed(0)
    predictor = PropertyPredictor(3, 8, 2, n_heads=4).eval()
    alone = [one_head(layers) for layers in (predictor.layers, *predictor.others)]
    z = torch.randn(5, 3)
    parts = [head(z) for head in alone]
    drawn = torch.stack([m + s * torch.randn(40_000, 5, 2) for m, s in parts]).flatten(0, 1)  # as many of each head
    mean, std = predictor(z)
    torch.testing.assert_close(mean, torch.stack([m for m, _ in parts]).mean(dim=0))
    torch.testing.assert_close(std, drawn.std(dim=0), rtol=0.02, atol=0)
    assert (std > torch.stack([s for _, s in parts]).square().mean(dim=0).sqrt()).all()


def test_in_training_each_head_learns_as_if_it_were_alone():
    torch.manual_seed(0)
    predictor = PropertyPredictor(3, 8, 2, n_heads=3).train()
    alone = [one_head(layers) for layers in (predictor.layers, *predictor.others)]
    z, labels = torch.randn(6, 3), torch.randn(6, 2)
    labels[0, 1] = torch.nan
    predictor.log_prob(z, labels).sum().backward()
    for own, head in zip((predictor.layers, *predictor.others), alone, strict=True):
        head.log_prob(z, labels).sum().backward()
        torch.testing.assert_close(3 * own[0].weight.grad, head.layers[0].weight.grad)


def test_heads_are_added_and_taken_away_and_the_first_ones_stay():
    predictor = PropertyPredictor(3, 8, 1, n_heads=2)
    kept = [predictor.layers[0].weight, predictor.others[0][0].weight]
    predictor.take_heads(5, 8)
    assert predictor.n_heads == 5 and len({float(one[0].weight[0, 0].detach()) for one in predictor.others}) == 4
    assert [predictor.layers[0].weight, predictor.others[0][0].weight] == kept
    predictor.take_heads(1, 8)
    assert predictor.n_heads == 1 and predictor.layers[0].weight is kept[0]
    assert PropertyPredictor(3, 8, 0, n_heads=5)(torch.randn(4, 3))[0].shape == (4, 0)


def one_head(layers):
    """A predictor of this head alone."""
    predictor = PropertyPredictor(3, 8, layers[-1].out_features // 2)
    predictor.layers = copy.deepcopy(layers)
    return predictor


def test_calibrated_intervals_cover_ninety_percent():
    torch.manual_seed(0)
    predictor = PropertyPredictor(3, 8, 1)
    z = torch.randn(4000, 3)
    labels = predictor(z)[0].detach() + 7.0 * predictor(z)[1].detach() * torch.randn(4000, 1)  # far too confident before
    predictor.calibrate(z[:2000], labels[:2000])
    mean, std = predictor(z[2000:])
    inside = ((labels[2000:] - mean).abs() <= 1.6449 * std).float().mean()
    assert 0.87 < float(inside) < 0.93


def test_gradient_of_missing_labels_is_zero_not_nan():
    predictor = PropertyPredictor(3, 8, 2)
    z = torch.randn(4, 3, requires_grad=True)
    labels = torch.tensor([[torch.nan, torch.nan]]).expand(4, 2)
    predictor.log_prob(z, labels).sum().backward()
    assert z.grad.abs().max() == 0


@pytest.mark.parametrize("unit", [1e-15, 2e-10, 1.0, 1e15, 1e38])
@pytest.mark.parametrize("offset", [0.0, -384.0, 1e7])
def test_predictions_tell_molecules_apart_in_any_unit_and_at_any_offset(unit, offset):
    torch.manual_seed(0)
    plain = PropertyPredictor(3, 8, 1)
    shifted = copy.deepcopy(plain)
    labels = torch.randn(500, 1, dtype=torch.float64)
    plain.fit_scale(labels)
    shifted.fit_scale(unit * (0.003 * labels + offset))
    z = torch.randn(100, 3)
    (mean, std), (wide_mean, wide_std) = plain(z), shifted(z)
    torch.testing.assert_close((wide_mean.double() / unit - offset) / 0.003, mean.double(), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(wide_std.double() / unit / 0.003, std.double(), atol=1e-6, rtol=1e-5)
    own, theirs = plain.log_prob(z, labels[:100]), shifted.log_prob(z, unit * (0.003 * labels[:100] + offset))
    torch.testing.assert_close(own, theirs, atol=1e-4, rtol=1e-4)


def test_the_scale_stays_exact_when_the_model_is_cast_and_when_it_is_stored():
    predictor = PropertyPredictor(3, 8, 1)
    predictor.fit_scale(-384 + 0.003 * torch.randn(50, 1, dtype=torch.float64))
    exact = predictor.label_mean.clone(), predictor.label_std.clone()
    for cast in (predictor.float(), predictor.half(), predictor.to(torch.bfloat16), predictor.double(), predictor.to("cpu")):
        assert torch.equal(cast.label_mean, exact[0]) and torch.equal(cast.label_std, exact[1])
    again = PropertyPredictor(3, 8, 1)
    again.load_state_dict(predictor.state_dict())
    assert torch.equal(again.label_mean, exact[0]) and again.widening.dtype == torch.float32
    assert list(again.state_dict())[:3] == ["label_mean", "label_std", "widening"]


def test_gradients_of_predictions_in_any_unit_are_finite():
    for unit in (1e-40, 1.0, 1e38):
        predictor = PropertyPredictor(3, 8, 2)
        predictor.fit_scale(torch.stack([torch.randn(50), torch.randn(50)], dim=1).double() * torch.tensor([unit, 1.0]))
        z = torch.randn(4, 3, requires_grad=True)
        (predictor(z)[0] / predictor.label_std).sum().backward()
        assert z.grad.isfinite().all() and z.grad.abs().max() > 0
