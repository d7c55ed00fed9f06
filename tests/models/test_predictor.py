"""Scaling, likelihood and calibration of the property predictor."""

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
