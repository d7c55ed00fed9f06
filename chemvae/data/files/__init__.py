"""Files of molecules: reading, writing, columns, SDF, compressed streams."""
