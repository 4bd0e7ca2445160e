"""Sources come from a file, and each has the rate that it says."""

import pytest

from serving.collector.sources import Source, open_to_all, read_sources

FILE = """
web: {token: web-token, events_per_second: 500, origins: [https://shop.example]}
till: {token: till-token}
"""


def test_a_file_names_tokens_rates_and_origins(tmp_path):
    path = tmp_path / "sources.yaml"
    path.write_text(FILE)
    sources = read_sources(path)
    found = sources.find("web-token")
    assert found is not None
    assert found.name == "web"
    assert sources.find("other") is sources.find(None) is None
    assert sources.allows("https://shop.example")
    assert not sources.allows("https://evil.example")


def test_without_a_file_anyone_may_send():
    for token in (None, "x"):
        assert open_to_all().find(token).name is None
    assert open_to_all(origins=frozenset({"*"})).allows("https://any.example")


def test_a_source_may_send_its_burst_and_then_its_rate():
    """1,000 a second: 2,000 at once, then a batch of 500 after half a second."""
    source = Source("web", rate=1000.0)
    assert source.wait(1500, now=0.0) == 0
    assert source.wait(1000, now=0.0) == 0.5  # 500 are left
    assert source.wait(1000, now=0.25) == 0.25
    assert source.wait(1000, now=0.5) == 0
    assert source.wait(1, now=0.5) == 0.001


def test_a_batch_above_the_burst_is_taken_once_the_burst_is_full():
    source = Source("web", rate=10.0)
    assert source.wait(5000, now=0.0) == 0
    assert source.wait(1, now=0.0) == pytest.approx(400.1)  # 4,000 were borrowed


def test_without_a_rate_there_is_no_wait():
    assert Source(None).wait(10**9, now=0.0) == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Expected `object`"),
        ("{}", "holds no source"),
        ("web: {}", "missing required field `token`"),
        ("web: {token: ab}", "Expected `str` matching"),
        ("web: {token: abc, rate: 5}", "unknown field `rate`"),
        ("'a b': {token: abc}", "Expected `str` matching"),
        ("a: {token: abc}\nb: {token: abc}", "two sources have one token"),
        ("a: {token: abc, origins: [shop.example]}", "Expected `str` matching"),
        ("a: [", "is no YAML at line"),
    ],
)
def test_a_mistake_is_named_and_no_token_is_told(tmp_path, text, words):
    path = tmp_path / "sources.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=words) as caught:
        read_sources(path)
    assert "abc" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ValueError, match="cannot be read: No such file"):
        read_sources(tmp_path / "none.yaml")
