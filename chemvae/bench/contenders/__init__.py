"""Who is measured: chemvae, the same model on torch.nn.GRU, and a MOSES-shaped one."""
