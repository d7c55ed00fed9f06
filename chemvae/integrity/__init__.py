"""Whether files are what was written: checksums, headers of tensor files, the files of a run folder."""
