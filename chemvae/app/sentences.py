"""Sentences as a page shows them: files are called as the user calls them, and nothing tells where the project lies."""

from __future__ import annotations

from pathlib import Path


def without_paths(sentence: str, project: Path, source: str = "", name: str = "") -> str:
    """A sentence without paths of the machine.

    Parameters
    ----------
    sentence : str
    project : Path
        Is called by its folder's name.
    source, name : str
        A file in it, and what the user calls that.

    Examples
    --------
    >>> without_paths("'/home/me/p/1/table.csv' is empty.", Path("/home/me/p"), "/home/me/p/1/table.csv", "my.csv")
    "'my.csv' is empty."
    >>> without_paths("see /home/me/p/jobs/2/run", Path("/home/me/p"))
    'see p/jobs/2/run'
    """
    if source and name:
        sentence = sentence.replace(source, name).replace(Path(source).name, name)
    return sentence.replace(str(project), project.name)
