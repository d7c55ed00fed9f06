"""What jobs do, in a process of their own: a function for each kind, on top of the library's public functions."""
