"""Jobs: what takes longer than a click, one process each, in an index and in ordinary folders."""
