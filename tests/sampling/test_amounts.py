"""More than memory holds is refused before anything is drawn, with both figures; what fits is not."""

from types import SimpleNamespace

import psutil
import pytest

from chemvae.errors import SettingsError
from chemvae.sampling.amounts import BYTES_OF_A_DECODE, BYTES_OF_A_NUMBER, check_amount


@pytest.fixture
def free(monkeypatch):
    bytes_free = 1_000 * (BYTES_OF_A_DECODE + 8 * BYTES_OF_A_NUMBER)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=bytes_free))


def test_exactly_what_fits_is_taken_and_one_more_is_not(free):
    check_amount(1_000, 8)
    with pytest.raises(SettingsError, match="n_samples: 1,001 decodes need about .* GB are free; ask for fewer"):
        check_amount(1_001, 8, "n_samples")


def test_wider_points_need_more(free):
    with pytest.raises(SettingsError):
        check_amount(1_000, 9)
