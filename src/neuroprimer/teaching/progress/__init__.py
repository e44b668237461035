"""Progress: what a student has tried, kept on the student's own machine."""
