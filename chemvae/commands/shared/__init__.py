"""What several commands share: options, settings, the console, displays."""
