"""Flags win over variables, variables over defaults, and a wrong one is named."""

from pathlib import Path

import pytest

from serving.feedback.shoppers.limits import VisitLimits
from serving.protocol.limits import Limits
from serving.settings import Settings, parse_settings


def test_flags_win_over_variables_and_variables_over_defaults():
    environment = {
        "TILLSIDE_BUNDLE": "/bundle",
        "TILLSIDE_LISTEN_HOST": "0.0.0.0",
        "TILLSIDE_LISTEN_PORT": "9000",
        "TILLSIDE_MAX_K": "50",
        "TILLSIDE_WORKERS": "auto",
        "TILLSIDE_ADMIN_LISTEN_PORT": "9001",
        "TILLSIDE_ADMIN_TOKEN": "secret",
        "TILLSIDE_ADMIN_PORT": "tcp://10.0.0.1:9090",
        "TILLSIDE_PORT": "tcp://10.0.0.1:8080",  # what Kubernetes sets for a Service called tillside
    }
    settings = parse_settings(["--port", "9001", "--max-session", "7"], environment)
    limits = Limits(k=50, session_events=7)
    assert settings == Settings(Path("/bundle"), "0.0.0.0", 9001, admin_port=9001, admin_token="secret", limits=limits)
    assert "secret" not in repr(settings)
    assert parse_settings(["--bundle", "b"], {}) == Settings(Path("b"))
    asked = parse_settings(["--bundle", "b", "--feedback-requests", "0.25"], {})
    assert asked == Settings(Path("b"), feedback_requests=0.25)


@pytest.mark.parametrize(
    ("arguments", "environment", "sentence"),
    [
        ([], {}, "error: --bundle DIR (or TILLSIDE_BUNDLE) must be given"),
        (["--bundle", "b", "--port", "x"], {}, "error: argument --port: must be an integer from 0 to 65535, got 'x'"),
        (["--bundle", "b", "--port", "-1"], {}, "must be an integer from 0 to 65535, got '-1'"),
        (["--bundle", "b", "--max-k", "0"], {}, "argument --max-k: must be an integer from 1 to 100000, got '0'"),
        (
            ["--bundle", "b"],
            {"TILLSIDE_LISTEN_PORT": "99999"},
            "--port: must be an integer from 0 to 65535, got '99999'",
        ),
        (["--bundle", "b", "--workers", "0"], {}, "--workers: must be an integer from 1 to 1024, got '0'"),
        (["--bundle", "b", "--admin-port", "on"], {}, "--admin-port: must be an integer from 0 to 65535, got 'on'"),
        (["--bundle", "b"], {"TILLSIDE_TOKEN": "a b"}, "TILLSIDE_TOKEN must be printable ASCII without blanks"),
        (["--bundle", "b", "--wrokers", "2"], {}, "unrecognized arguments: --wrokers 2; did you mean --workers?"),
        (["--bundle", "b", "--pots=1"], {}, "unrecognized arguments: --pots=1; did you mean --port?"),
        (["--bundle", "b", "--verbose"], {}, "--verbose; python -m serving --help lists the flags"),
        (
            ["--bundle", "b", "--feedback-requests", "2"],
            {},
            "--feedback-requests: must be a number from 0 to 1, got '2'",
        ),
        (["b", "--port", "0"], {}, "unrecognized arguments: b; a bundle is given as --bundle b"),
    ],
)
def test_a_wrong_flag_is_named_with_what_is_allowed(arguments, environment, sentence, capsys):
    with pytest.raises(SystemExit) as caught:
        parse_settings(arguments, environment)
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize(
    ("flags", "variable", "token", "least"),
    [
        ([], "TILLSIDE_ADMIN_TOKEN", "a", 3),
        (["--admin-host", "0.0.0.0"], "TILLSIDE_ADMIN_TOKEN", "fifteen-letters", 16),
        (["--host", "0.0.0.0"], "TILLSIDE_TOKEN", "fifteen-letters", 16),
        (["--host", "::"], "TILLSIDE_TOKEN", "fifteen-letters", 16),
    ],
)
def test_a_token_that_can_be_guessed_is_refused_where_others_reach_the_port(flags, variable, token, least, capsys):
    arguments = ["--bundle", "b", *flags]
    with pytest.raises(SystemExit):
        parse_settings(arguments, {variable: token})
    said = capsys.readouterr().err
    assert f"{variable} must have at least {least} characters" in said
    assert f"{token!r}" not in said
    parse_settings(arguments, {variable: token + "-" * 16})


def test_the_admin_port_stays_on_this_machine_whatever_the_main_port_does():
    settings = parse_settings(["--bundle", "b", "--host", "0.0.0.0", "--admin-port", "0"], {})
    assert (settings.host, settings.admin_host) == ("0.0.0.0", "127.0.0.1")
    environment = {"TILLSIDE_ADMIN_LISTEN_HOST": "10.0.0.1", "TILLSIDE_WITHOUT_BUNDLE": "stay"}
    settings = parse_settings(["--bundle", "b"], environment)
    assert (settings.admin_host, settings.stay) == ("10.0.0.1", True)


def test_an_experiments_file_that_ships_is_reached_by_its_name(capsys):
    found = parse_settings(["--bundle", "b", "--experiments", "example"], {}).experiments
    assert found is not None
    assert found.is_file()
    with pytest.raises(SystemExit):
        parse_settings(["--bundle", "b", "--experiments", "exmple"], {})
    assert "did you mean example?" in capsys.readouterr().err


def test_what_is_remembered_of_shoppers_is_told_by_flags():
    assert parse_settings(["--bundle", "b", "--feedback", "f"], {}).shoppers is None
    memory = ["--bundle", "b", "--feedback", "f", "--shoppers", "memory"]
    assert parse_settings(memory, {}).shoppers == VisitLimits()
    given = parse_settings(
        [*memory, "--shoppers-gap-minutes", "5", "--shoppers-most", "9", "--shoppers-events", "7"], {}
    )
    assert (given.shoppers, given.shoppers_url) == (VisitLimits(gap_minutes=5, shoppers=9, events=7), None)
    shared = parse_settings(["--bundle", "b"], {"TILLSIDE_SHOPPERS": "rediss://:secret@host:6379/1"})
    assert (shared.shoppers, shared.shoppers_url) == (VisitLimits(), "rediss://:secret@host:6379/1")
    assert "secret" not in repr(shared)


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--shoppers", "memory"], "--shoppers memory needs --feedback DIR"),
        (["--shoppers", "memory", "--feedback", "kafka://b:1/t"], "--shoppers memory needs --feedback DIR"),
        (["--shoppers", "http://:secret@h"], "must be off, memory or redis://HOST:PORT/DB, got 'http'"),
        (["--shoppers-gap-minutes", "1441"], "must be an integer from 1 to 1440, got '1441'"),
    ],
)
def test_what_cannot_be_remembered_is_a_sentence(flags, sentence, capsys):
    with pytest.raises(SystemExit):
        parse_settings(["--bundle", "b", *flags], {})
    told = capsys.readouterr().err
    assert sentence in told
    assert "secret" not in told
