"""What is asked of a search: words read into goals, starts and limits, and said again."""

import dataclasses

import pytest

from chemvae.design import Alerts, Constraint, Goal
from chemvae.design.search_settings import SearchSettings, in_words, make_goals, read_pair, read_starts, with_ranges
from chemvae.errors import SettingsError


def test_goals_from_flags():
    goals = make_goals({"maximize": ["qed"], "minimize": ["SAS"], "target": ["logP=-1"], "weight": ["sas=0.5"]})
    assert [(g.name, g.direction, g.target, g.weight) for g in goals] == [
        ("qed", "max", None, 1.0),
        ("SAS", "min", None, 0.5),
        ("logP", "max", -1.0, 1.0),
    ]


@pytest.mark.parametrize("text", ["logP", "=2", "logP=", "logP=two", ""])
def test_a_pair_needs_a_name_and_a_number(text):
    with pytest.raises(SettingsError, match="NAME=NUMBER"):
        read_pair("--target", text)


def test_starts_are_molecules_or_files_of_them(tmp_path):
    (tmp_path / "some.smi").write_text("CCO\nCCN\n")
    assert read_starts(["CCO", "C[Si](C)C"], None) == ["CCO", "C[Si](C)C"]
    assert read_starts([str(tmp_path / "some.smi"), "CCC"], None) == ["CCO", "CCN", "CCC"]
    assert read_starts(None, None) is None


@pytest.mark.parametrize("text", ["pIC50", "pIC50=4", "pIC50=a..b", "=1..2"])
def test_a_range_needs_a_name_and_two_ends(text):
    with pytest.raises(SettingsError, match="P=LOW..HIGH"):
        with_ranges([Goal("pIC50")], [text])


def test_a_range_belongs_to_a_goal():
    assert with_ranges([Goal("a"), Goal("b", low=1.0, high=2.0)], ["A=-1..1e3"])[0] == Goal("a", low=-1.0, high=1000.0)
    with pytest.raises(SettingsError, match="belongs to no goal"):
        with_ranges([Goal("a")], ["b=1..2"])


def test_goals_and_filters_said_in_words_are_the_same_goals_and_filters():
    goals = [Goal("qed", weight=2.0), Goal("SAS", "min", low=1.0, high=5.5), Goal("logP", target=-0.1)]
    words, objects = in_words({"goals": goals, "constraints": ["1<logP<3", Constraint("MW", "<=", 500), Alerts()]})
    assert SearchSettings(**words).goals() == goals == objects["goals"]
    assert words["constraint"] == ["1<logP<3", "MW <= 500"] and len(objects["constraints"]) == 3
    words, objects = in_words({"alerts": "NIH", "start": "CCO", "time_limit_s": 90.0, "method": {"name": "auto"}})
    settings = SearchSettings(**words)
    assert settings.arguments() | objects == settings.arguments() and settings.time_limit == 1.5
    assert (settings.arguments()["alerts"], settings.arguments()["start"]) == (["NIH"], ["CCO"])


@pytest.mark.parametrize(
    ("asked", "hands_over", "sentence"),
    [
        ({"oracle": "qed"}, True, "are for a laboratory"),
        ({"baseline": True}, True, "measured again"),
        ({"oracle": "laboratory", "baseline": True}, False, "measured again"),
    ],
)
def test_a_laboratory_measures_alone(asked, hands_over, sentence):
    with pytest.raises(SettingsError, match=sentence):
        SearchSettings(**asked).is_laboratory(hands_over=hands_over)


def test_a_laboratory_is_named_or_handed_tables():
    assert SearchSettings(oracle=" Laboratory: pIC50").is_laboratory(hands_over=False)
    assert SearchSettings().is_laboratory(hands_over=True) and not SearchSettings(oracle="qed").is_laboratory(hands_over=False)
    settings = SearchSettings(maximize=["pIC50"]).for_laboratory()
    assert (settings.oracle, settings.batch) == ("laboratory", 24)
    assert dataclasses.replace(settings, batch=8).for_laboratory().batch == 8


def test_workers_need_an_oracle_and_a_plain_name_stays_a_name():
    with pytest.raises(SettingsError, match="about --oracle"):
        SearchSettings(jobs=2).equip(None, None)
    assert SearchSettings().equip("qed", None) == "qed"
    assert SearchSettings(jobs=2).equip("qed", None).jobs == 2


def test_paths_hold_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run").mkdir()
    settings = SearchSettings(model="run", oracle_memory="scores.parquet").anchored()
    assert settings.model == str(tmp_path / "run") and settings.oracle_memory == str(tmp_path / "scores.parquet")
    assert SearchSettings(model="drug").anchored().model == "drug"


def test_rows_of_a_start_table_without_a_molecule_are_named(tmp_path, caplog):
    (tmp_path / "leads.csv").write_text("smiles\nCCO\nC1CC\nCCN\nCCF\n")
    assert read_starts([str(tmp_path / "leads.csv"), "CCC"], None) == ["CCO", "CCN", "CCF", "CCC"]
    assert "1 of 4 rows hold no molecule" in caplog.text and "row 2, 'C1CC': ring 1 is opened" in caplog.text
