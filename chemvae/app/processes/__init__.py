"""Processes beside the server, each an interpreter of its own that is spoken to in lines of JSON; nothing is pickled."""
