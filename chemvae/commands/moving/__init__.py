"""Commands that move through latent space."""
