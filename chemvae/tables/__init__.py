"""Tables of molecules in, tables of answers out: one row for every row, columns that were there passed through unchanged.

A row that cannot be used keeps its place with empty values and its reason (``keep``), is left out and counted (``skip``), or
ends the work (``error``). A column of ours whose name the table already uses gets a suffix; theirs stay as they are.
"""

from chemvae.tables.answers import decode_table, encode_table, latent_table, predict_table
from chemvae.tables.latents import expand_latents, latent_names, read_latents
from chemvae.tables.new_properties import check_prediction, fit_properties, predict_new_table
from chemvae.tables.path_page import PATH_ENDINGS, missed_ends, write_path
from chemvae.tables.rows import read_blocks, usable_smiles, with_numbers
from chemvae.tables.writing import LATENT_ENDINGS, TABLE_ENDINGS, check_output, write_table

__all__ = [
    "LATENT_ENDINGS",
    "PATH_ENDINGS",
    "TABLE_ENDINGS",
    "check_output",
    "check_prediction",
    "decode_table",
    "encode_table",
    "expand_latents",
    "fit_properties",
    "latent_names",
    "missed_ends",
    "latent_table",
    "predict_new_table",
    "predict_table",
    "read_blocks",
    "read_latents",
    "usable_smiles",
    "with_numbers",
    "write_path",
    "write_table",
]
