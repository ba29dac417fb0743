"""Runs outside the process that asked for them: one worker per run, one slot per device."""
