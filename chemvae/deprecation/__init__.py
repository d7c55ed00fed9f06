"""What worked under another name: it works for one version more, and says which name to use."""
