"""Where feedback goes is a folder or a topic, and nothing else."""

from pathlib import Path

import pytest

from serving.feedback.target import Topic, parse_target


def test_a_path_is_a_folder():
    assert parse_target("feedback/shop") == Path("feedback/shop")


@pytest.mark.parametrize(
    ("text", "servers", "name"),
    [
        ("kafka://broker:9092/tillside", "broker:9092", "tillside"),
        ("kafka://a:1,b:2/shop.events_1-x", "a:1,b:2", "shop.events_1-x"),
        ("kafka://[::1]:9092/t", "[::1]:9092", "t"),
    ],
)
def test_an_address_of_kafka_is_a_topic(text, servers, name):
    assert parse_target(text) == Topic(servers, name)
    assert str(parse_target(text)) == text


@pytest.mark.parametrize("text", ["kafka://broker/t", "kafka://b:1", "kafka://b:1/", "kafka://b:1/a b", "http://x/y"])
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match="must be a folder or kafka://HOST:PORT/TOPIC"):
        parse_target(text)
