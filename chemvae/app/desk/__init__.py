"""What the desk answers: everything that must be known at once, and what is looked at before a job is queued."""
