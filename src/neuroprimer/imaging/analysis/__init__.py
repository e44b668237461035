"""Analysis: functions that take and return BrainData."""
