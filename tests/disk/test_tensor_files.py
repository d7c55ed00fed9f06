"""Files of tensors come back bit for bit; whatever else lies in their place is said in a sentence, and never run."""

import pickle

import pytest
import torch

from chemvae.disk.tensor_files import (
    facts_in,
    facts_of,
    misfit,
    not_finite,
    read_checkpoint,
    save_checkpoint,
    save_tensors,
    system_errors,
)  # fmt: skip

TENSORS = {
    "w": torch.randn(3, 2, generator=torch.Generator().manual_seed(0)),
    "n": torch.arange(4),
    "b": torch.tensor([True, False]),
    "h": torch.zeros(0, 5, dtype=torch.bfloat16),
    "s": torch.tensor(2.5, dtype=torch.float64),
}


def test_the_header_of_a_file_says_what_the_tensors_were(tmp_path):
    save_tensors(tmp_path / "a.safetensors", TENSORS)
    assert facts_in(tmp_path / "a.safetensors") == facts_of(TENSORS)
    assert facts_of(TENSORS)["w"] == ("F32", (3, 2)) and facts_of(TENSORS)["s"] == ("F64", ())


def test_parts_of_one_tensor_may_be_saved_side_by_side(tmp_path):
    from safetensors.torch import load_file

    whole = torch.arange(6.0).view(2, 3)
    save_tensors(tmp_path / "a.safetensors", {"whole": whole, "turned": whole.T, "row": whole[0]})
    found = load_file(tmp_path / "a.safetensors")
    assert torch.equal(found["turned"], whole.T) and torch.equal(found["row"], whole[0])


def test_a_misfit_is_named_and_rounding_is_none():
    facts = facts_of(TENSORS)
    assert misfit(facts, facts) is None and misfit({**facts, "w": ("BF16", (3, 2))}, facts) is None
    assert misfit({**facts, "w": ("F32", (2, 3))}, facts) == "'w' has the shape [2, 3] instead of [3, 2]"
    assert misfit({**facts, "n": ("I32", (4,))}, facts) == "'n' holds I32 instead of I64"
    assert misfit({name: one for name, one in facts.items() if name != "n"}, facts) == "'n' is missing"
    assert misfit({**facts, "x": ("F32", (1,))}, facts) == "'x' belongs to another model"


def test_nan_and_infinity_are_found_but_for_whole_rows_of_gaps():
    gap = torch.tensor([[1.0, 2.0], [torch.nan, torch.nan]])
    assert not_finite(TENSORS) is None and not_finite({"a": torch.tensor([1.0, -torch.inf])}) == "a"
    assert not_finite({"a": gap}) == "a" and not_finite({"a": gap}, ("a",)) is None
    assert not_finite({"a": torch.tensor([[1.0, torch.nan]])}, ("a",)) == "a"  # half a row is no gap
    assert not_finite({"a": torch.full((2, 2), torch.nan)}, ("a",)) == "a"  # nothing but gaps is no tensor


def test_a_checkpoint_comes_back_and_other_things_are_refused_in_words(tmp_path):
    path = tmp_path / "a.pt"
    save_checkpoint(path, {"weights": TENSORS["w"], "step": 3, "words": ["a"]})
    again = read_checkpoint(path)
    assert torch.equal(again["weights"], TENSORS["w"]) and (again["step"], again["words"]) == (3, ["a"])
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="cut short or changed"):
        read_checkpoint(path)
    torch.save([1, 2], path)
    with pytest.raises(ValueError, match="it holds a list, no checkpoint"):
        read_checkpoint(path)


class Harmful:
    def __reduce__(self):
        return (open, (str(Harmful.path), "w"))


def test_nothing_in_a_checkpoint_is_run(tmp_path):
    Harmful.path = tmp_path / "written"
    torch.save({"a": Harmful()}, tmp_path / "a.pt", pickle_module=pickle)
    with pytest.raises(ValueError, match="of which nothing was run"):
        read_checkpoint(tmp_path / "a.pt")
    assert not Harmful.path.exists()


def test_what_the_system_refuses_is_an_error_of_the_system(tmp_path):
    with pytest.raises(OSError):
        save_tensors(tmp_path / "nowhere" / "a.safetensors", TENSORS)
    with pytest.raises(OSError):
        save_checkpoint(tmp_path / "nowhere" / "a.pt", {})
    with pytest.raises(ZeroDivisionError):
        system_errors(lambda: 1 / 0)
