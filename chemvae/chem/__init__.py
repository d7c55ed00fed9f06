"""Chemistry on RDKit, without torch: molecules, properties, fingerprints and drawings."""
