"""Every optimizer of the table passes the contract."""

from tests.contracts.optimizer_contract import OptimizerContract


class TestRandom(OptimizerContract):
    method = "random"
    beats_random = False


class TestGradient(OptimizerContract):
    method = "gradient"


class TestBayesian(OptimizerContract):
    method = "bayesian"


class TestAuto(OptimizerContract):
    method = "auto"


def test_every_named_optimizer_is_tested():
    from chemvae.design import OPTIMIZERS

    tested = {case.method for case in OptimizerContract.__subclasses__()}
    assert set(OPTIMIZERS) <= tested
