"""What is written stays whole: writers that replace at once, locks, caches, and checks of files before they are believed."""
