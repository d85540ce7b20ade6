"""The NumPy core: functions, optimizers, schedules, noise, one runner. Knows no screen."""
