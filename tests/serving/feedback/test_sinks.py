"""A target that cannot be written to is named at the start."""

import os
import sys

import pytest

from serving.feedback.sinks import FolderSink, check_target, open_sink
from serving.feedback.target import Topic
from tillside.feedback.segments import read_segment, segments_of


def test_a_folder_gets_segments(tmp_path):
    sink = open_sink(tmp_path / "new", "exposures")
    assert isinstance(sink, FolderSink)
    assert sink.write([b"a", b"b"]) == 2
    assert sink.sync() == sink.close() == 0
    (path,) = segments_of(tmp_path / "new" / "exposures")
    assert list(read_segment(path)) == [b"a", b"b"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=r"feedback cannot be written to .*file/events: Not a directory"):
        check_target(tmp_path / "file", "events")


def test_a_folder_of_someone_else_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda folder, mode: folder != tmp_path / "events")  # root may write anywhere
    with pytest.raises(ValueError, match="this user may not write there"):
        check_target(tmp_path, "events")


def test_without_kafkas_client_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    with pytest.raises(ValueError, match=r"Kafka needs the extra kafka.*pip install 'tillside\[kafka\]'"):
        check_target(Topic("localhost:1", "t"), "exposures")
