"""A folder that came from elsewhere runs nothing unasked; one's own goes on without a question."""

import json
import shutil
import sys

import pytest

from chemvae.cache import CACHE_VARIABLE
from chemvae.design.search import search_in_folder
from chemvae.design.search_folder import SEAL, SearchFolder
from chemvae.design.search_settings import SearchSettings
from chemvae.design.trust import is_trusted, runs_code, seal
from chemvae.errors import InputError, SettingsError
from tests.design.toys import ToyModel

ORACLE = f'cmd:{sys.executable} -c "import sys, json\nfor l in sys.stdin: print(json.dumps(dict(score=1.0)))"'


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))


@pytest.fixture
def ours(tmp_path):
    """A folder whose search was begun here."""
    folder = SearchFolder(tmp_path / "hits")
    with folder.opened(SearchSettings(oracle=ORACLE)):
        folder.record.write_text(json.dumps({"format": 1}) + "\n")
    return folder


def test_a_folder_begun_here_is_trusted_also_under_another_name(ours, tmp_path):
    assert ours.trusts(ORACLE)
    ours.path.rename(tmp_path / "renamed")
    assert SearchFolder(tmp_path / "renamed").trusts(ORACLE)


def test_a_search_that_takes_another_s_place_is_trusted_before_and_after(ours):
    other = ORACLE.replace("1.0", "2.0")
    with pytest.raises(KeyboardInterrupt), ours.opened(SearchSettings(oracle=other), replace=True):
        ours.record.write_text('{"format": 1}\n{"call": 1}\n')
        raise KeyboardInterrupt
    assert ours.trusts(other) and not ours.trusts(ORACLE)  # that is the search which is gone on with
    with ours.opened(SearchSettings(oracle=other)):
        pass
    assert ours.trusts(other) and not ours.trusts(ORACLE)


def test_looking_at_a_search_never_throws_it_away(ours):
    with pytest.raises(KeyboardInterrupt), ours.opened(SearchSettings(oracle=ORACLE), replace=True):
        ours.record.write_text('{"format": 1}\n{"call": 1}\n')
        raise KeyboardInterrupt
    unfinished = next(ours.path.glob(f".*/{ours.settings.name}"))
    (unfinished.parent / ours.record.name).write_text('{"format": 1}\n')  # as if another program had only just begun it
    unfinished.write_text("{")
    with pytest.raises(InputError, match="cannot be read"):
        ours.resume({})
    assert unfinished.exists()


def test_a_copy_is_not(ours, tmp_path):
    shutil.copytree(ours.path, tmp_path / "received")
    assert not SearchFolder(tmp_path / "received").trusts(ORACLE)
    assert ours.trusts(ORACLE)


@pytest.mark.parametrize("mark", [None, "", 5, "0" * 64, "\ud800", ["a"]])
def test_neither_is_another_command_nor_a_made_up_seal(ours, mark):
    assert not ours.trusts("cmd:rm -rf /")
    found = json.loads(ours.settings.read_text())
    assert len(found[SEAL]) == 64
    ours.settings.write_text(json.dumps(found | {SEAL: mark}))
    assert not ours.trusts(ORACLE)


def test_another_user_has_another_key(ours, tmp_path, monkeypatch):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "theirs"))
    assert not ours.trusts(ORACLE)


def test_a_key_that_others_can_read_or_that_cannot_be_kept_is_none(ours, tmp_path, monkeypatch):
    key = next((tmp_path / "cache").glob("*.key"))
    assert key.stat().st_mode & 0o777 == 0o600
    key.chmod(0o644)
    assert not ours.trusts(ORACLE) and seal(ours.path, ORACLE) == ""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "file"))
    assert not ours.trusts(ORACLE)


@pytest.mark.parametrize("text", [
    "cmd:./dock", "CMD:./dock", " cmd:./dock", "cmd-csv:./dock", "judge:score", "os:system", "mpo:cmd:./dock=clip(1)",
    "mpo:logP=clip(1);judge:score=clip(2)", "mpo:mpo:cmd:x=clip(1)=clip(1)", "mpo:what is this",
])  # fmt: skip
def test_what_runs_code(text, tmp_path):
    assert runs_code(text) and not is_trusted(tmp_path, text, None)


@pytest.mark.parametrize(
    "text", ["qed", "similarity:CCO", "laboratory", "laboratory:pIC50", "mpo:logP=gaussian(2,1)", "alerts"]
)
def test_what_runs_none_needs_no_seal(text, tmp_path):
    assert not runs_code(text) and is_trusted(tmp_path, text, None) and is_trusted(tmp_path, None, None)


@pytest.fixture
def received(ours, tmp_path):
    shutil.copytree(ours.path, tmp_path / "received")
    return tmp_path / "received"


def go_on(folder, asked=None, **how):
    """Go on, up to where the model would be loaded."""

    class Begun(Exception):
        pass

    def open_model(name):
        raise Begun

    with pytest.raises(Begun):
        search_in_folder(open_model, folder, asked or {}, resume=True, **how)


def test_going_on_with_a_received_folder_is_refused_with_the_command_and_the_flag(received, ours):
    with pytest.raises(SettingsError, match=r"(?s)was not begun by you.*import sys.*--yes.*--oracle again"):
        go_on(received)
    with pytest.raises(SettingsError, match="--yes"):
        go_on(received, may_run=lambda oracle: False)
    go_on(ours.path)


def test_it_goes_on_where_it_is_told_so(received):
    shown = []
    go_on(received, may_run=lambda oracle: shown.append(oracle) or True)
    assert shown == [ORACLE]
    go_on(received, may_run=True)
    go_on(received, {"oracle": ORACLE})


def test_an_oracle_given_as_an_object_does_not_seal_the_one_that_was_received(tmp_path, received):
    shutil.rmtree(received)
    asked = {"oracle": len, "budget": 3, "method": "random"}
    search_in_folder(lambda name: ToyModel(), received, asked)
    settings = json.loads((received / "settings.json").read_text())
    (received / "settings.json").write_text(json.dumps(settings | {"oracle": "cmd:evil"}))
    search_in_folder(lambda name: ToyModel(), received, {"oracle": len, "budget": 4}, resume=True)
    settings = json.loads((received / "settings.json").read_text())
    assert settings["oracle"] is None and SEAL not in settings


def test_the_command_line_refuses_without_a_terminal(received):
    from typer.testing import CliRunner

    from chemvae.cli import app

    done = CliRunner().invoke(app, ["optimize", "--resume", "-o", str(received)])
    assert done.exit_code == 2 and "--yes" in done.stderr and "import sys" in done.stderr
