"""Scripts that run in a Python of their own and ask one package each; they import nothing of ours (see ``worker.py``)."""
