"""Run many trainings: plans of settings and seeds, executors, rankings, false alarms."""
