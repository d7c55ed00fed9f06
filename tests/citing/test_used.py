"""Every method has its papers, and every paper stands where its method is."""

import json
import re
from pathlib import Path

import pytest

import chemvae
from chemvae.citing import ALWAYS, PAPERS, USES, cite
from chemvae.cli import app
from chemvae.design import OPTIMIZERS
from chemvae.errors import RunFolderError, UnknownNameError
from chemvae.maps.factory import PROJECTIONS
from chemvae.models.posteriors import POSTERIORS
from chemvae.models.priors import PRIORS
from chemvae.objectives import OBJECTIVES, WRAPPERS

PACKAGE = Path(chemvae.__file__).parent
TABLES = {
    "posterior": POSTERIORS, "prior": PRIORS, "objective": OBJECTIVES, "setting": WRAPPERS, "method": OPTIMIZERS,
    "projection": PROJECTIONS,
}  # fmt: skip


@pytest.mark.parametrize("kind", TABLES)
def test_every_member_of_a_table_has_its_papers_and_none_that_is_gone(kind):
    named = {key.partition(" ")[2] for key in USES if key.startswith(f"{kind} ")}
    assert named == set(TABLES[kind])


def test_every_paper_is_used_and_every_key_is_a_paper():
    used = {key for keys in USES.values() for key in keys} | set(ALWAYS)
    assert used == set(PAPERS)
    assert all(re.fullmatch(r"[a-z]+\d{4}", key) and key.endswith(str(paper.year)) for key, paper in PAPERS.items())
    assert len({paper.url for paper in PAPERS.values()}) == len(PAPERS)


@pytest.mark.parametrize("kind", ["posterior", "prior", "objective", "method"])
def test_what_a_method_s_own_file_names_is_cited(kind):
    """An address in the docstring of a member is that of one of the papers, wherever the paper is known here."""
    known = {paper.url: key for key, paper in PAPERS.items()}
    for name, member in TABLES[kind].items():
        text = (PACKAGE / (member.__module__.removeprefix("chemvae.").replace(".", "/") + ".py")).read_text(encoding="utf-8")
        own = member.__doc__ or ""
        for url in re.findall(r"https?://[^\s,;)]+", own):
            url = url.rstrip(".")
            key = known.get(url)
            assert url in text and (key is None or key in {*USES[f"{kind} {name}"], *ALWAYS}), (name, url)


def test_names_of_several_tables_give_the_papers_of_all_and_a_kind_gives_its_own():
    assert set(cite("mixture")) > set(cite("prior mixture")) == set(ALWAYS)
    assert list(cite("IWAE"))[2:] == ["burda2016", "tucker2019"]


def test_a_run_names_what_it_was_made_of(tmp_path):
    config = {
        "format_version": 1,
        "model": {"posterior": {"name": "iaf", "n_steps": 2}, "prior": "vamp", "fitted_prior": "flow", "predictor_heads": 5},
        "training": {"objective": {"name": "iwae"}, "noised_codes": 0.1, "prior_points": 0.0},
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert set(cite(tmp_path)) - set(ALWAYS) == {
        "kingma2016", "tomczak2018", "durkan2019", "burda2016", "tucker2019", "ho2020", "lakshminarayanan2017",
    }  # fmt: skip


def test_a_search_names_its_method_its_model_and_its_goals(tmp_path):
    (tmp_path / "settings.json").write_text(json.dumps({"model": None, "method": "bayesian", "maximize": ["qed"]}))
    assert {"eriksson2019", "bickerton2012", "irwin2012"} <= set(cite(tmp_path))


def test_what_is_neither_known_nor_a_folder_of_ours_is_refused_with_a_name(tmp_path):
    with pytest.raises(UnknownNameError, match="bayesian"):
        cite("bayesan")
    with pytest.raises(RunFolderError, match="neither a run nor a search"):
        cite(tmp_path)


def test_the_command_prints_a_line_or_an_entry_for_each():
    from typer.testing import CliRunner

    lines = CliRunner().invoke(app, ["cite"]).output.splitlines()
    assert len(lines) == len(cite()) and all("https://" in line for line in lines)
    entries = CliRunner().invoke(app, ["cite", "optimize", "iwae", "--bibtex"]).output
    assert entries.count("@misc{") == len(cite("optimize", "iwae"))
