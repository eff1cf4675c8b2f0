"""Benchmarks: this program side by side with what a user would pick instead. Run on demand, never as a test."""
