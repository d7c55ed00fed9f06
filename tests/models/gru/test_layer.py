"""The GRU has the numbers of torch.nn.GRU, gradients included, with and without the compiled kernels."""

import pytest
import torch

from chemvae.models.gru import layer as gru_module
from chemvae.models.gru.kernels import kernels, small_product
from chemvae.models.gru.layer import GRU

V, E, C, B, T = 11, 7, 5, 70, 9  # rows make a whole block and a part of one
H = 64
TOLERANCE = {torch.float64: 1e-13, torch.float32: 5e-6, torch.bfloat16: 5e-2}


@pytest.fixture(params=["whole runs", "single steps", "torch"])
def kernel(request, monkeypatch):
    """Run a test on all implementations of the recurrence."""
    if request.param == "torch":
        monkeypatch.setattr(gru_module, "kernels", lambda: None)
    elif kernels() is None:
        pytest.skip("no C compiler: the fused kernels are absent")
    elif request.param == "single steps":
        monkeypatch.setattr(gru_module, "small_product", lambda dtype: None)
    elif small_product(torch.float32) is None:
        pytest.skip("no AVX-512: torch lacks the small products")
    return request.param


@pytest.fixture(params=[33, 64])
def width(request):
    """No multiple of a vector register, and a width whose sequences the kernels walk by themselves."""
    return request.param


def both(own_dtype, product_dtype, bidirectional, H):
    """Outputs and gradients of our layer of width H and of torch's, given the same weights and inputs."""
    torch.manual_seed(1)
    context_dim = 0 if bidirectional else C
    ours = GRU(E, context_dim, H, bidirectional).to(own_dtype)
    theirs = torch.nn.GRU(E + context_dim, H, bidirectional=bidirectional).to(own_dtype)
    theirs.load_state_dict(ours.state_dict())
    D = ours.directions
    embedding = torch.randn(V, E, dtype=own_dtype, requires_grad=True)
    tokens = torch.randint(0, V, (T, B))
    context = None if bidirectional else torch.randn(B, C, dtype=own_dtype, requires_grad=True)
    h0 = torch.randn(D * B, H, dtype=own_dtype, requires_grad=True)

    rows = torch.cat([tokens, tokens.flip(0) + V], dim=1) if bidirectional else tokens
    states, last = ours(ours.steps(embedding, rows, context, h0), product_dtype)
    states = torch.cat([states[0], states[1].flip(0)], dim=-1) if bidirectional else states[0]
    inputs = embedding[tokens]
    if context is not None:
        inputs = torch.cat([inputs, context.expand(T, B, C)], dim=-1)
    expected, expected_last = theirs(inputs, h0.view(D, B, H))

    weights = torch.randn_like(expected), torch.randn_like(expected_last)
    leaves = [embedding, h0] + ([] if context is None else [context])
    mine = torch.autograd.grad(
        (states * weights[0]).sum() + (last.view(D, B, H) * weights[1]).sum(), [*ours.parameters(), *leaves]
    )
    named = dict(theirs.named_parameters())
    reference = torch.autograd.grad(
        (expected * weights[0]).sum() + (expected_last * weights[1]).sum(),
        [*(named[n] for n, _ in ours.named_parameters()), *leaves],
    )
    return (states, last.view(D, B, H), *mine), (expected, expected_last, *reference)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize(
    ("own", "product"),
    [(torch.float64, torch.float64), (torch.float32, torch.float32), (torch.float32, torch.bfloat16)],
)
def test_equals_torch_gru_with_gradients(kernel, width, own, product, bidirectional):
    mine, reference = both(own, product, bidirectional, width)
    for a, b in zip(mine, reference, strict=True):
        scale = max(1.0, float(b.detach().abs().max()))
        assert float((a.to(own) - b).detach().abs().max()) <= TOLERANCE[product] * scale


def test_compiled_and_torch_gates_agree_on_extreme_inputs(monkeypatch, width):
    if kernels() is None:
        pytest.skip("no C compiler: the fused kernels are absent")
    layer = GRU(E, 0, width)
    embedding = torch.randn(V, E) * 200  # gates saturate at 0 and 1
    tokens = torch.randint(0, V, (T, B))
    with torch.no_grad():
        fused, _ = layer(layer.steps(embedding, tokens), torch.float32)
        monkeypatch.setattr(gru_module, "kernels", lambda: None)
        plain, _ = layer(layer.steps(embedding, tokens), torch.float32)
    torch.testing.assert_close(fused, plain, atol=2e-6, rtol=0)


def test_nan_inputs_stay_nan(kernel):
    layer = GRU(E, 0, H)
    embedding = torch.full((V, E), torch.nan)
    with torch.no_grad():
        states, _ = layer(layer.steps(embedding, torch.zeros(2, B, dtype=torch.long)), torch.float32)
    assert states.isnan().all()


@pytest.mark.parametrize("product", [torch.float32, torch.bfloat16])
def test_frozen_token_leaves_the_state_exactly(kernel, product):
    layer = GRU(E, 0, H)
    embedding = torch.randn(V, E)
    tokens = torch.randint(1, V, (5, B))
    padded = torch.cat([tokens, torch.zeros(4, B, dtype=torch.long)])
    with torch.no_grad():
        _, last = layer(layer.steps(embedding, tokens, frozen_token=0), product)
        _, padded_last = layer(layer.steps(embedding, padded, frozen_token=0), product)
    assert torch.equal(last, padded_last)


def test_frozen_token_sends_no_gradient_to_itself():
    layer = GRU(E, 0, H)
    embedding = torch.randn(V, E, requires_grad=True)
    tokens = torch.cat([torch.randint(1, V, (5, B)), torch.zeros(4, B, dtype=torch.long)])
    _, last = layer(layer.steps(embedding, tokens, frozen_token=0), torch.float32)
    last.sum().backward()
    assert embedding.grad[0].abs().max() == 0
    assert embedding.grad[1:].abs().max() > 0


@pytest.mark.parametrize("product", [torch.float32, torch.bfloat16])
def test_stepper_walks_the_same_states_and_drops_rows(kernel, product):
    layer = GRU(E, C, H)
    embedding, context, h0 = torch.randn(V, E), torch.randn(B, C), torch.randn(B, H)
    tokens = torch.randint(0, V, (T, B))
    with torch.no_grad():
        (states,), _ = layer(layer.steps(embedding, tokens, context, h0), product)
        stepper = layer.stepper(embedding, context, h0, product)
        for t in range(4):
            torch.testing.assert_close(stepper.step(tokens[t]), states[t], atol=TOLERANCE[product], rtol=1e-2)
        left = torch.tensor([1, 4, 69])
        stepper.keep(left)
        for t in range(4, T):
            torch.testing.assert_close(stepper.step(tokens[t, left]), states[t, left], atol=2e-2, rtol=2e-2)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_cudnn_states_equal_the_cpu():
    layer = GRU(E, C, H)
    embedding, context, h0 = torch.randn(V, E), torch.randn(B, C), torch.randn(B, H)
    tokens = torch.randint(0, V, (T, B))
    with torch.no_grad():
        (expected,), _ = layer(layer.steps(embedding, tokens, context, h0), torch.float32)
        cuda = layer.cuda()
        found = cuda.states_cudnn(embedding.cuda(), tokens.t().cuda(), context.cuda(), h0.cuda(), torch.float32)
    torch.testing.assert_close(found.cpu(), expected, atol=1e-5, rtol=1e-4)


def test_weights_that_stand_still_get_no_gradient_and_change_none_of_the_others(kernel):
    """A search in z moves the code alone: what weights would get is not computed."""
    torch.manual_seed(2)
    layer, embedding, tokens = GRU(E, C, H), torch.randn(V, E), torch.randint(0, V, (T, B))
    context, h0 = torch.randn(B, C, requires_grad=True), torch.randn(B, H, requires_grad=True)
    found = []
    for learns in (True, False):
        layer.requires_grad_(learns)
        states, last = layer(layer.steps(embedding, tokens, context, h0), torch.float32)
        found.append(torch.autograd.grad(states.sum() + (last * last).sum(), [context, h0], retain_graph=learns))
        if learns:
            with_weights = torch.autograd.grad(states.sum(), list(layer.parameters()))
            assert all(bool(one.abs().sum() > 0) for one in with_weights)
    for moving, standing in zip(*found, strict=True):
        assert torch.equal(moving, standing)
    assert all(one.grad is None for one in layer.parameters())
