"""A molecule's own posterior beyond the encoder's answer: gradient steps, Hamiltonian moves, and the space they move in."""
