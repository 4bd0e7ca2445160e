"""Flags win over variables, and a wrong one is named."""

from pathlib import Path

import pytest

from serving.collector.settings import CollectorSettings, parse_settings
from serving.feedback.shoppers.limits import VisitLimits
from serving.feedback.target import Topic

SALT = "0123456789abcdef"


def test_flags_win_over_variables():
    environment = {
        "TILLSIDE_COLLECTOR_FEEDBACK": "/feedback",
        "TILLSIDE_COLLECTOR_LISTEN_PORT": "9000",
        "TILLSIDE_COLLECTOR_PORT": "tcp://10.0.0.1:8090",  # what Kubernetes sets for a Service of that name
        "TILLSIDE_FEEDBACK_SALT": SALT,
    }
    settings = parse_settings(["--port", "9001", "--origins", "https://a,https://b"], environment)
    assert (settings.feedback, settings.state, settings.port) == (Path("/feedback"), Path("/feedback"), 9001)
    assert settings.salt == SALT.encode()
    assert settings.sources.origins == {"https://a", "https://b"}
    assert SALT not in repr(settings)


def test_the_defaults_are_those_of_the_type():
    given, default = parse_settings(["--feedback", "f"], {}), CollectorSettings(Path("f"), Path("f"))
    names = ("host", "port", "most_events", "waiting", "shutdown_seconds", "limits", "salt")
    assert [getattr(given, name) for name in names] == [getattr(default, name) for name in names]


def test_kafka_wants_a_folder_of_its_own(capsys):
    settings = parse_settings(["--feedback", "kafka://b:1/t", "--state", "s"], {})
    assert (settings.feedback, settings.state) == (Topic("b:1", "t"), Path("s"))
    for arguments in (["--feedback", "kafka://b:1/t"], ["--feedback", "f", "--state", "s"]):
        with pytest.raises(SystemExit):
            parse_settings(arguments, {})
        assert "--state DIR goes with --feedback kafka://" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--feedback must be given"),
        (["--feedback", "kafka://b"], "must be a folder or kafka://HOST:PORT/TOPIC"),
        (["--feedback", "f", "--max-events", "0"], "must be an integer from 1 to 100000, got '0'"),
        (["--feedback", "f", "--orgins", "x"], "did you mean --origins?"),
        (["--feedback", "f", "--sources", "none", "--origins", "x"], "with --sources its file says origins"),
        (["--feedback", "f", "--sources", "none"], "none cannot be read"),
        (["--feedback", "f", "--feedback-salt", "none"], "none cannot be read"),
    ],
)
def test_a_wrong_flag_is_named(arguments, words, capsys):
    with pytest.raises(SystemExit) as caught:
        parse_settings(arguments, {})
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert words in error
    assert len(error.splitlines()) == 1


def test_visits_may_be_shared_by_a_collector_with_a_folder(capsys):
    settings = parse_settings(["--feedback", "f", "--shoppers", "redis://:secret@h", "--shoppers-events", "9"], {})
    assert (settings.shoppers, settings.shoppers_url) == (VisitLimits(events=9), "redis://:secret@h")
    assert "secret" not in repr(settings)
    for flags in (["f", "--shoppers", "memory"], ["kafka://b:1/t", "--state", "s", "--shoppers", "redis://h"]):
        with pytest.raises(SystemExit):
            parse_settings(["--feedback", *flags], {})
        assert "--shoppers redis://HOST:PORT/DB goes with --feedback DIR" in capsys.readouterr().err
