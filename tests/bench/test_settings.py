"""Settings of a benchmark run."""

import pytest

from chemvae.bench.settings import BenchSettings
from chemvae.errors import SettingsError


def test_settings_list_every_complaint():
    with pytest.raises(SettingsError) as caught:
        BenchSettings(threads=-1, seconds=0, batch_sizes=(), rounds=0)
    assert len(caught.value.complaints) == 4
    assert "threads must be >= 0, got -1" in caught.value.complaints


def test_quick_keeps_what_was_chosen():
    quick = BenchSettings(data="x.csv", model="m", threads=3, growth=True).quick()
    assert (quick.data, quick.model, quick.threads, quick.growth) == ("x.csv", "m", 3, True)
    assert quick.seconds < BenchSettings().seconds
