"""What holds for all tests."""

from hypothesis import HealthCheck, settings

# the same examples each time, however slow the machine is; `pytest --hypothesis-profile=search` looks for others
settings.register_profile("search", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("same", settings.get_profile("search"), derandomize=True, database=None)
settings.load_profile("same")
