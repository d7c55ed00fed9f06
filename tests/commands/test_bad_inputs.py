"""What users get wrong: one clear sentence, an exit code that is not 0, and never a traceback."""

import shutil

import pytest

from chemvae.runs import FITTED, NEEDED
from tests.faults.run_folders import give_trees

FILES = {
    "empty.csv": b"",
    "header.csv": b"smiles,y\n",
    "junk.csv": bytes(range(256)) * 8,
    "junk.parquet": b"PAR1" + bytes(range(256)),
    "words.csv": b"smiles,y\nCCO,high\nCCN,low\n",
    "no_smiles.csv": b"a,b\n1,2\n3,4\n",
    "invalid.csv": b"smiles\nC1CC\nnonsense\n",
    "good.csv": b"smiles,y\nCCO,1\nCCN,2\nCCCO,3\n",
    "odd.csv": b"smiles\nCC[Si](C)C\n",
    "z.npy": b"not numpy",
}

TRAINING = [
    ("train empty.csv", 1, "empty.csv is empty"),
    ("train header.csv", 3, "no rows"),
    ("train junk.csv", 1, "binary"),
    ("train junk.parquet", 1, "Parquet"),
    ("train words.csv -p y", 3, "'y' of words.csv holds no number"),
    ("train good.csv -p why", 3, "no column 'why'"),
    ("train good.csv -s smile", 3, "Did you mean 'smiles'?"),
    ("train no_smiles.csv", 3, "no valid SMILES"),
    ("train invalid.csv", 3, "no valid SMILES"),
    ("train invalid.csv --on-invalid error", 1, "'C1CC' (row 1) is not a valid molecule: ring 1"),
    ("train missing.csv", 1, "no file missing.csv"),
    ("train zinc25k", 1, "Did you mean zinc250k?"),
    ("train good.csv --preset large", 2, "Choose one of: cpu, gpu, tiny"),
    ("train good.csv --beta -1 --epochs 0", 2, "epochs must be >= 1"),
    ("train good.csv --device tpu", 2, "device"),
    ("train --resume -o nowhere", 1, "'nowhere' holds no run to go on with"),
]
USE = [
    ("encode empty.csv -m {run}", 1, "empty.csv is empty"),
    ("encode junk.csv -m {run}", 1, "binary"),
    ("encode invalid.csv -m {run}", 3, "None of the 2 rows"),
    ("encode odd.csv -m {run} --on-invalid error", 1, "'CC[Si](C)C' holds '[' at position 2"),
    ("encode good.csv -m {run} --on-invalid maybe", 2, "keep, skip, error"),
    ("encode good.csv -m {run} --standardize hard", 2, "none, salts, neutral"),
    ("encode good.csv -m nothing-here", 1, "'nothing-here' does not exist"),
    ("decode good.csv -m {run}", 3, "no columns z_0"),
    ("decode z.npy -m {run}", 1, "NumPy"),
    ("evaluate good.csv -m {run} --n-samples 0", 2, "n_samples must be >= 1"),
    ("evaluate invalid.csv -m {run}", 3, "valid SMILES"),
    ("sample -m {run} -n 0", 2, "n must be >= 1"),
    ("sample -m {run} --prior flat", 2, "prior"),
    ("interpolate CCO xx -m {run}", 1, "'xx' is not a valid molecule"),
    ("interpolate CCO CCN -m {run} --path curved", 2, "Choose one of: linear, spherical"),
    ("interpolate CCO CCN -m {run} -p logQ", 2, "Did you mean 'logP'?"),
    ("neighbors xx -m {run}", 1, "'xx' is not a valid molecule"),
    ("neighbors CCO -m {run} --radius -1", 2, "radii must be numbers above 0"),
    ("neighbors CCO -m {run} --decodes 0", 2, "n_decodes must be >= 1"),
    ("neighbors CCO -m {run} --among invalid.csv", 3, "valid SMILES"),
    ("neighbors CCO -m {run} -o near.png", 2, "must end in"),
    ("edit CCO -m {run}", 2, "--along P"),
    ("edit xx -m {run} --along logP", 1, "'xx' is not a valid molecule"),
    ("edit CCO -m {run} --along logQ", 2, "Did you mean 'logP'?"),
    ("edit CCO -m {run} --along logP --keep N", 2, "does not hold 'N' itself"),
    ("edit CCO -m {run} --along logP --keep N(", 2, "SMARTS"),
    ("edit CCO -m {run} --along logP --direction up", 2, "direction must be max or min"),
    ("edit CCO -m {run} --along y --fit good.csv", 3, "a direction needs 20 or more"),
    ("edit CCO -m {run} --along y --fit words.csv", 3, "name a class of it: y=VALUE (high, low)"),
    ("edit CCO -m {run} --along y=high", 2, "give the table with --fit"),
    ("edit CCO -m {run} --pair CCO xx", 1, "'xx' is not a valid molecule"),
    ("complete CCO -m {run}", 2, "has no gap to fill"),
    ("complete C_{{3,1}} -m {run}", 2, "stands for no symbols"),
    ("complete C_U -m {run}", 1, "holds 'U' at position 2"),
    ("complete C)_ -m {run} --draws 1", 3, "No molecule was found that fits"),
    ("complete C_ -m {run} --like xx", 1, "'xx' is not a valid molecule"),
    ("optimize -m {run}", 2, "nothing to optimise"),
    ("optimize -m {run} --maximize qued", 2, "Did you mean 'qed'?"),
    ("optimize -m {run} --target logP", 2, "NAME=NUMBER"),
    ("optimize -m {run} --maximize qed --weight logP=2", 2, "belongs to no goal"),
    ("optimize -m {run} --maximize qed --constraint SAS", 2, "not a constraint"),
    ("optimize -m {run} --maximize qed --scaffold c1cc(", 2, "SMARTS"),
    ("optimize -m {run} --maximize qed --min-similarity 0.4", 2, "--start"),
    ("optimize -m {run} --maximize qed --start C1CC", 1, "not a valid molecule"),
    ("optimize -m {run} --maximize qed --method magic", 2, "Choose one of: auto"),
    ("optimize -m {run} --oracle no.such:function", 2, "cannot be imported"),
    ("optimize -m {run} --oracle qed_minus", 2, "Did you mean 'qed_minus_sas'?"),
    ("optimize -m {run} --oracle similarity", 2, "write similarity:SMILES"),
    ("optimize -m {run} --maximize qed --jobs 2", 2, "name one, or leave them out"),
    ("optimize -m {run} --maximize qed --alert-catalog PAIN", 2, "Did you mean 'PAINS'?"),
    ("optimize -m {run} --oracle qed --engine lokal --jobs 2", 2, "Did you mean 'local'?"),
    ("optimize -m {run} --resume -o nowhere", 1, "no search to go on with"),
    ("map good.csv -m {run} --method tsn", 2, "Did you mean 'tsne'?"),
    ("map good.csv -m {run} --color colour", 2, "colour"),
    ("data show zink250k", 2, "Did you mean 'zinc250k'?"),
    ("data check invalid.csv", 3, "no usable molecule"),
    ("data prepare invalid.csv -o out", 3, "no usable molecule"),
]


def complains(found, code: int, words: str) -> None:
    assert found.exit_code == code, found.output
    errors = [line for line in found.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1 and words in errors[0]
    assert "Traceback" not in found.output and "should not have happened" not in found.output


@pytest.fixture
def files(tmp_path):
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)


@pytest.mark.parametrize(("line", "code", "words"), TRAINING, ids=[line for line, *_ in TRAINING])
def test_training(chemvae, files, line, code, words):
    words_given = line.split() + ([] if "-o" in line.split() else ["-o", "out"])
    complains(chemvae(*words_given), code, words)


@pytest.mark.parametrize(("line", "code", "words"), USE, ids=[line for line, *_ in USE])
def test_use(chemvae, files, tiny_run, line, code, words):
    complains(chemvae(*(word.format(run=tiny_run) for word in line.split())), code, words)


@pytest.mark.parametrize("name", NEEDED)
def test_a_run_folder_that_lacks_a_file(chemvae, tiny_run, tmp_path, name):
    run = shutil.copytree(tiny_run, tmp_path / "run")
    (run / name).unlink()
    complains(chemvae("sample", "-m", run), 1, name)


@pytest.mark.parametrize("name", [*NEEDED, *FITTED])
def test_a_run_folder_with_a_truncated_file(chemvae, tiny_run, tmp_path, name):
    run = shutil.copytree(tiny_run, tmp_path / "run")
    give_trees(run)
    content = (run / name).read_bytes()
    (run / name).write_bytes(content[: len(content) // 2])
    complains(chemvae("sample", "-m", run), 1, name)


def test_a_truncated_checkpoint_cannot_be_resumed(chemvae, tiny_run, tmp_path):
    run = shutil.copytree(tiny_run, tmp_path / "run")
    (run / "trainer.pt").write_bytes((run / "trainer.pt").read_bytes()[:100])
    complains(chemvae("train", "--resume", "-o", run), 1, "trainer.pt")


def test_an_interrupted_run_without_its_prior_says_what_to_do(chemvae, tiny_run, tmp_path):
    run = shutil.copytree(tiny_run, tmp_path / "run")
    (run / "prior.safetensors").unlink()
    complains(chemvae("sample", "-m", run), 1, "--prior normal")
    assert chemvae("sample", "-m", run, "--prior", "normal").exit_code == 0


def test_bad_rows_and_gaps_in_labels_are_counted_and_survived(chemvae, tmp_path):
    rows = [f"{'C' * n}O,{n if n % 3 else ''}" for n in range(1, 25)]
    (tmp_path / "some.csv").write_text("\n".join(["smiles,y", *rows, "C1CC,1", "CCN,oops", ",2"]) + "\n")
    found = chemvae(
        "train", "some.csv", "-p", "y", "-o", "run", "--preset", "tiny", "--epochs", 1, "--latent-dim", 4, "--decoder-dim", 16,
        "--encoder-dim", 8, "--min-kl", 0, "--min-active-units", 0,
    )  # fmt: skip
    assert found.exit_code == 0, found.output
    assert "not a molecule: 1" in found.stderr and "empty cell: 1" in found.stderr
