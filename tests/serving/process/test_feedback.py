"""What a process writes down and remembers begins and ends with its block, and only where the settings say so."""

import pytest

from serving.feedback.shoppers.limits import VisitLimits
from serving.process.feedback import exposures_logged, shoppers_remembered
from serving.service import Service
from serving.settings import Settings


def test_nothing_is_written_down_or_remembered_unasked(tmp_path):
    settings = Settings(tmp_path)
    service = Service(settings)
    with exposures_logged(settings, service), shoppers_remembered(settings, service):
        assert (service.exposures, service.shoppers) == (None, None)
    assert list(tmp_path.iterdir()) == []


def test_where_the_settings_say_so_the_service_gets_both(tmp_path):
    folder = tmp_path / "feedback"
    settings = Settings(tmp_path, feedback=folder, shoppers=VisitLimits())
    service = Service(settings)
    with exposures_logged(settings, service), shoppers_remembered(settings, service):
        assert service.exposures is not None
        assert service.shoppers is not None
    assert [each.name for each in folder.iterdir()] == ["exposures"]


def test_a_folder_that_cannot_be_written_is_refused_at_the_start(tmp_path):
    (tmp_path / "feedback").write_text("a file")
    settings = Settings(tmp_path, feedback=tmp_path / "feedback")
    with pytest.raises(ValueError, match="feedback"), exposures_logged(settings, Service(settings)):
        raise AssertionError("not reached")
