"""Libraries that chemvae makes by reactions."""
