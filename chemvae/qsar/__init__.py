"""Property models on molecules: no part of the VAE."""
