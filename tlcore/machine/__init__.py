"""This computer: processes and what they died of, the lock, the log, scratch files."""
