"""The command: a table, figures as JSON, one sentence where it cannot start."""

import json

import pytest

from serving.bench.__main__ import main


def test_the_command_loads_a_real_server_and_writes_its_figures(orchard, running, tmp_path, capsys):
    out = tmp_path / "figures.json"
    words = ["--url", running.url, "--bundle", str(orchard), "--rate", "200", "--seconds", "0.2", "--k", "3"]
    main(
        [*words, "--warm-seconds", "0", "--arrivals", "constant", "--pid", str(running.process.pid), "--json", str(out)]
    )
    (load,) = json.loads(out.read_text(encoding="utf-8"))["loads"]
    assert (load["requests"], load["failed"], load["statuses"]) == (40, 0, {"200": 40})
    assert load["tiers"] == {"model": 40}  # every session holds items that the bundle knows
    assert load["rss_mb"]["peak"] > 0
    assert "model 40" in capsys.readouterr().out


def test_the_command_refuses_what_is_no_bundle_with_one_sentence(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--url", "http://127.0.0.1:1", "--bundle", str(tmp_path)])
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("error: ")
