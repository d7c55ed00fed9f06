"""Values of properties that are computed once, and what makes room."""

from chemvae.chem.property_table import PropertyTable


def test_the_oldest_values_of_a_cheap_property_make_room_and_those_asked_for_are_there(monkeypatch):
    monkeypatch.setattr("chemvae.chem.property_table.MOST_CHEAP", 3)
    table, many = PropertyTable(), ["C" * n for n in range(1, 11)]
    assert table.compute(many, ["heavy_atoms"])["heavy_atoms"].tolist() == list(range(1, 11))
    table.compute(["CCO"], ["heavy_atoms"])
    assert table.knows("heavy_atoms", "CCO") and sum(table.knows("heavy_atoms", text) for text in many) == 2
