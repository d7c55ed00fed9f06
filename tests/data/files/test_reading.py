"""Every format gives the same rows, whatever it is packed in; damage is one sentence."""

import gzip
import io
import sys

import pandas as pd
import pytest
import zstandard
from rdkit import Chem

from chemvae.data.files.columns import parse_numbers
from chemvae.data.files.reading import Chunk, read_records
from chemvae.data.files.writing import concat
from chemvae.errors import InputError

SMILES = ["CCO", "c1ccccc1", "C[C@H](N)C(=O)[O-]"]
NAMES = ["ethanol", "benzene", "alanine"]
CSV = "smiles,name\n" + "".join(f"{s},{n}\n" for s, n in zip(SMILES, NAMES, strict=True))


def read(source, **settings) -> pd.DataFrame:
    return concat([chunk.frame for chunk in read_records(source, **settings)])


def sdf_text() -> str:
    blocks = []
    for smiles, name in zip(SMILES, NAMES, strict=True):
        mol = Chem.MolFromSmiles(smiles)
        mol.SetProp("_Name", name)
        blocks.append(Chem.MolToMolBlock(mol) + f"> <rank>\n{len(name)}\n\n$$$$\n")
    return "".join(blocks)


TEXTS = {
    ".csv": CSV,
    ".tsv": CSV.replace(",", "\t"),
    ".smi": "".join(f"{s} {n}\n" for s, n in zip(SMILES, NAMES, strict=True)),
    ".sdf": sdf_text(),
}


@pytest.mark.parametrize("packing", ["", ".gz", ".zst"])
@pytest.mark.parametrize("ending", TEXTS)
def test_formats_and_packings_give_the_same_rows(tmp_path, ending, packing):
    pack = {"": bytes, ".gz": gzip.compress, ".zst": zstandard.ZstdCompressor().compress}[packing]
    path = tmp_path / f"table{ending}{packing}"
    path.write_bytes(pack(TEXTS[ending].encode()))
    frame = read(path)
    assert frame["name"].tolist() == NAMES
    assert [Chem.CanonSmiles(s) for s in frame["smiles"]] == [Chem.CanonSmiles(s) for s in SMILES]
    assert frame.index.tolist() == [1, 2, 3]


@pytest.mark.parametrize("ending", TEXTS)
def test_a_stream_without_a_name_is_recognised(ending):
    frame = read(io.BytesIO(TEXTS[ending].encode()))
    assert frame["name"].tolist() == NAMES


def test_parquet_from_file_and_from_stream(tmp_path):
    pd.DataFrame({"smiles": SMILES, "y": [1.0, None, 3.0]}).to_parquet(tmp_path / "a.parquet")
    frame = read(tmp_path / "a.parquet")
    assert frame["smiles"].tolist() == SMILES and frame["y"].isna().tolist() == [False, True, False]
    pd.testing.assert_frame_equal(frame, read(io.BytesIO((tmp_path / "a.parquet").read_bytes())))


def test_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(CSV.encode())))
    assert read("-")["smiles"].tolist() == SMILES


def test_wide_input_without_usual_names_needs_the_column(tmp_path):
    text = b"id;drug\n1;CCO\n2;CC\n"
    assert read(io.BytesIO(text), smiles_column="drug").columns.tolist() == ["id", "drug"]
    (tmp_path / "semicolons.csv").write_bytes(text)
    assert read(tmp_path / "semicolons.csv")["drug"].tolist() == ["CCO", "CC"]


def test_chunks_cut_the_table_and_number_its_rows(tmp_path):
    (tmp_path / "long.csv").write_text("smiles\n" + "C\n" * 25)
    chunks = list(read_records(tmp_path / "long.csv", chunk_rows=10))
    assert [len(chunk.frame) for chunk in chunks] == [10, 10, 5]
    assert chunks[2].frame.index.tolist() == [21, 22, 23, 24, 25]
    assert chunks[2].lines == [22, 23, 24, 25, 26]


def test_quoted_line_breaks_blank_lines_and_byte_order_marks(tmp_path):
    (tmp_path / "excel.csv").write_bytes(b'\xef\xbb\xbfsmiles,y\r\n"CCO\n",1\r\n\r\n"C",2\r\n')
    frame = read(tmp_path / "excel.csv")
    assert frame["smiles"].tolist() == ["CCO\n", "C"] and frame["y"].tolist() == ["1", "2"]


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16"])
def test_encodings(tmp_path, encoding):
    (tmp_path / "names.csv").write_bytes("smiles,name\nCCO,\u00e9thanol\n".encode(encoding))
    assert read(tmp_path / "names.csv")["name"].tolist() == ["\u00e9thanol"]


def test_long_rows_are_a_problem_and_short_ones_are_padded(tmp_path):
    (tmp_path / "ragged.csv").write_text("smiles,y\nCCO,1,2\nCC\nC,3\n")
    chunk = next(read_records(tmp_path / "ragged.csv"))
    assert chunk.problems == {1: "it has 3 cells where the header names 2"}
    assert chunk.frame["y"].tolist() == ["1", "", "3"]


def test_tables_without_a_header_get_names(tmp_path):
    (tmp_path / "bare.csv").write_text("C,1\nCCO,2\nCCC,3\n")
    assert read(tmp_path / "bare.csv").columns.tolist() == ["column_1", "column_2"]


def test_nameless_and_repeated_columns_are_told_apart(tmp_path):
    (tmp_path / "odd.csv").write_text(",smiles,y,y\n0,CCO,1,2\n")
    assert read(tmp_path / "odd.csv").columns.tolist() == ["column_1", "smiles", "y", "y.1"]


def test_a_line_of_thousands_of_equal_cells_does_not_hang(tmp_path):
    (tmp_path / "wide.csv").write_text(",".join(["x"] * 20_000) + "\n" + ",".join(["1"] * 20_000) + "\n")
    assert len(set(read(tmp_path / "wide.csv").columns)) == 20_000


def test_lists_without_names_have_one_column_and_may_have_a_header(tmp_path):
    (tmp_path / "a.smi").write_text("# comment\nSMILES\nCCO\n\nCC\n")
    frame = read(tmp_path / "a.smi")
    assert frame.columns.tolist() == ["smiles"] and frame["smiles"].tolist() == ["CCO", "CC"]


def test_a_molecule_of_600_characters_passes(tmp_path):
    smiles = "CCOCC" * 120
    (tmp_path / "long.smi").write_text(smiles + "\n")
    assert read(tmp_path / "long.smi")["smiles"].tolist() == [smiles]


def test_a_damaged_sdf_record_costs_itself_only():
    good = sdf_text()
    text = good + "broken\n\n\n  x  y\nM  END\n$$$$\n" + good
    chunk = next(read_records(io.BytesIO(text.encode())))
    assert len(chunk.frame) == 7 and list(chunk.problems) == [4]
    assert chunk.frame["rank"].tolist() == ["7", "7", "7", "", "7", "7", "7"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.csv", b"", "is empty"),
        ("empty.csv.gz", gzip.compress(b"", mtime=0), "is empty"),
        ("junk.csv", bytes(range(256)) * 20, "binary data"),
        ("junk.smi", b"\x00\x01\x02", "binary data"),
        ("junk.parquet", b"smiles\nCCO\n", "not a readable Parquet file"),
        ("quote.csv", b'smiles,y\n"CCO,1\n' + b"CC,2\n" * 40_000, "quotation mark"),
        ("cut.csv.gz", gzip.compress(CSV.encode() * 1000, mtime=0)[:-20], "cut-off"),
        ("cut.csv.zst", zstandard.ZstdCompressor().compress(CSV.encode() * 9000)[:-9], "cut-off"),
        ("bad.csv.gz", gzip.compress(CSV.encode() * 500, mtime=0)[:30] + b"\x00" * 200, "damaged"),
        ("table.xlsx", b"PK", "not a readable .xlsx"),
        ("table.xls", b"PK", "'.xls' are not read"),
    ],
)
def test_damage_is_one_sentence_with_the_file_name(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=words) as caught:
        read(tmp_path / name)
    assert name in str(caught.value) and "\n" not in str(caught.value)


def test_a_truncated_parquet_file_is_one_sentence(tmp_path):
    pd.DataFrame({"smiles": SMILES * 100}).to_parquet(tmp_path / "a.parquet")
    content = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(content[:-30])
    with pytest.raises(InputError, match="not a readable Parquet"):
        read(tmp_path / "cut.parquet")


def test_damaged_text_inside_a_parquet_file_is_one_sentence(tmp_path):
    pd.DataFrame({"smiles": ["CCO"]}).to_parquet(tmp_path / "a.parquet", compression=None)
    content = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "bad.parquet").write_bytes(content.replace(b"CCO", b"C\xffO"))
    with pytest.raises(InputError, match="not a readable Parquet"):
        read(tmp_path / "bad.parquet")


def test_missing_files_bring_the_nearest_name(tmp_path):
    (tmp_path / "zinc.csv").write_text(CSV)
    with pytest.raises(InputError, match="Did you mean zinc.csv"):
        read(tmp_path / "zink.csv")
    with pytest.raises(InputError, match="folder .* does not exist"):
        read(tmp_path / "no" / "zinc.csv")
    with pytest.raises(InputError, match="is a folder"):
        read(tmp_path)


def test_a_header_alone_gives_no_chunks(tmp_path):
    (tmp_path / "header.csv").write_text("smiles,y\n")
    assert list(read_records(tmp_path / "header.csv")) == []


def test_text_is_never_taken_for_canonical():
    assert not Chunk(pd.DataFrame()).is_canonical
    assert not any(chunk.is_canonical for chunk in read_records(io.BytesIO(CSV.encode())))


@pytest.mark.parametrize(
    ("text", "values"), [(b"smiles;y\nCO;2\nCN;2,5\n", [2.0, 2.5]), (b'smiles,y\nCO,2\nCN,"1,200"\n', [2.0, 1200.0])]
)
def test_the_separator_says_what_a_comma_in_a_number_means(text, values):
    frame = next(read_records(io.BytesIO(text))).frame
    assert parse_numbers(frame["y"])[0].tolist() == values
