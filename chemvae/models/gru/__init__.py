"""The GRU: layer, compiled kernels, workspace."""
