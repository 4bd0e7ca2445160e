"""For all tests: hypothesis looks for wrong answers, not for slow ones, since the machine may be busy."""

from hypothesis import settings

settings.register_profile("tillside", deadline=None)
settings.load_profile("tillside")
