"""An index of the codes of a library: a graph of near neighbours, made by usearch."""
