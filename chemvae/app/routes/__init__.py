"""Routes: they check what came, ask the library's functions (in other processes), and hand out the answer."""
