"""Which molecule a text means: one spelling for each, by which scores are remembered, counted and handed out.

RDKit's canonical SMILES is nearly that. For some molecules with stereo centres in cages it is not: read again it gives
another text, and that another, in a circle. Here it is read again until it stays the same; of a circle the first spelling
in the order of characters stands for all.
"""

from __future__ import annotations

from chemvae.chem.molecules import canonicalize

MOST_READINGS = 20


def identify(smiles: str) -> str | None:
    """The one spelling of a molecule; None if the text is no molecule.

    It is what :func:`chemvae.chem.molecules.canonicalize` gives wherever that reproduces itself, and ``identify`` of any
    spelling that RDKit gives on the way is the same.

    Examples
    --------
    >>> identify("OCC"), identify("C1CC")
    ('CCO', None)
    >>> cage = identify("N[C@]1(C(=O)O)[C@H]2C[C@@H]3C[C@H](C2)C[C@@H]1C3")
    >>> identify(cage) == cage, canonicalize(cage) == cage
    (True, False)
    """
    seen = [smiles]
    while (text := canonicalize(seen[-1])) not in seen:
        if text is None:
            return None
        seen.append(text)
        if len(seen) == MOST_READINGS:
            break
    return min(seen[seen.index(text) :])
