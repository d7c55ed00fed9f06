"""The table of data sets. A new one is a card in one of these files."""

from chemvae.data.catalog.cards.base import Column, Counts, DatasetCard, LocalFile, Upstream, card_text
from chemvae.data.catalog.cards.drugs import CARDS as _DRUGS
from chemvae.data.catalog.cards.joined import CARDS as _JOINED
from chemvae.data.catalog.cards.made import CARDS as _MADE
from chemvae.data.catalog.cards.materials import CARDS as _MATERIALS
from chemvae.data.catalog.cards.measured import CARDS as _MEASURED

DATASETS: dict[str, DatasetCard] = {card.name: card for card in (*_DRUGS, *_MATERIALS, *_MEASURED, *_MADE, *_JOINED)}

__all__ = ["DATASETS", "Column", "Counts", "DatasetCard", "LocalFile", "Upstream", "card_text"]
