"""Decoding and reading at the same time gives what one after the other gives."""

import numpy as np
import pytest
import torch

from chemvae.chem.molecules import canonicalize
from chemvae.data.tokens.vocabulary import EOS, Vocabulary
from chemvae.sampling.pipeline import WORTH_PROCESSES, count_readers, decode_canonical, open_readers
from chemvae.sampling.sampler import draw_latents, sample

WRITTEN = ["OCC", "CC", "C1CC", "", "N1CCOCC1", "C(C)(C)(C)(C)C", "c1ccccc1Cl"]


class Reciting:
    """A decoder that writes the molecule whose number is in z; it never finishes ``CC``."""

    device, product_dtype, max_length = torch.device("cpu"), torch.float32, 20
    vocabulary = Vocabulary.from_smiles(WRITTEN)

    @property
    def decoder(self):
        return self

    def decode(self, z, max_length, dtype, temperature, seed, first_row):
        ids = torch.zeros(len(z), max_length, dtype=torch.long)
        for row, number in zip(ids, z[:, 0].int().tolist(), strict=True):
            written = torch.from_numpy(self.vocabulary.encode(WRITTEN[number]))
            row[: len(written)] = written
            row[len(written)] = EOS if WRITTEN[number] != "CC" else 0
        return ids, torch.zeros(len(z))


@pytest.mark.parametrize("jobs", [1, 2])
def test_valid_means_finished_and_readable(jobs):
    numbers = np.random.default_rng(0).integers(0, len(WRITTEN), 3 * WORTH_PROCESSES)
    with open_readers(len(numbers), jobs) as readers:
        assert readers.jobs == jobs
        table = decode_canonical(Reciting(), torch.from_numpy(numbers)[:, None].float(), readers)
    expected = [None if WRITTEN[i] == "CC" else canonicalize(WRITTEN[i]) for i in numbers]
    assert table["valid"].tolist() == [one is not None for one in expected]
    assert table["smiles"].tolist() == [one or WRITTEN[i] for one, i in zip(expected, numbers, strict=True)]


def test_samples_are_the_same_for_every_number_of_processes_and_those_of_decode(tiny_model):
    n = WORTH_PROCESSES + 500
    tables = [sample(tiny_model, n, seed=3, temperature=0.8, prior="normal", jobs=jobs) for jobs in (1, 2)]
    assert tables[0].equals(tables[1])
    decoded = tiny_model.decode(draw_latents(tiny_model, n, "normal", 3), temperature=0.8, seed=4)
    assert tables[0]["valid"].tolist() == decoded["valid"].tolist()
    pairs = zip(decoded["smiles"], decoded["valid"], strict=True)
    assert tables[0]["smiles"].tolist() == [canonicalize(text) if valid else text for text, valid in pairs]


def test_few_molecules_start_no_process_and_many_no_more_than_they_keep_busy():
    assert count_readers(WORTH_PROCESSES - 1, jobs=8) == 1
    assert [count_readers(n, jobs=8) for n in (WORTH_PROCESSES, 10_000, 1_000_000)] == [2, 4, 8]
    assert count_readers(1_000_000, jobs=1) == 1


def test_readers_know_rdkit_and_neither_torch_nor_numpy():
    with open_readers(WORTH_PROCESSES, jobs=2) as readers:
        assert readers.submit(["OCC", "C1"]).result() == ["CCO", None]
        readers.function = eval
        asked = (readers.submit(["sorted(__import__('sys').modules)"]).result()[0] for _ in range(1000))
        loaded = next(one for one in asked if "rdkit.Chem" in one)  # either of the two answers, and one of them has read
    assert not {"torch", "numpy", "pandas"} & set(loaded)
