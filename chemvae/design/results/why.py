"""Why a molecule is in a laboratory's batch, in a word and in words."""

from __future__ import annotations

N_TOP = 10
START, EXPLOIT, EXPLORE, DIVERSE = "start", "exploit", "explore", "diverse"
REASONS = {
    START: "a start molecule",
    EXPLOIT: f"expected among the {N_TOP} best measured",
    EXPLORE: "may be better than all that was measured, though less is expected of it",
    DIVERSE: "unlike the others, to learn what such molecules do",
}
