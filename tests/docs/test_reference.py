"""The generated reference: it says what the code says, every command, key, flag and path is in it."""

import json
import re

import pytest

from docs.generate.__main__ import PAGES, REFERENCE, outdated
from docs.generate.commands import commands, commands_page, schema_of
from docs.generate.flags import flags_page
from docs.generate.http import http_page
from docs.generate.tables import table
from serving.collector.openapi import collector_document
from serving.collector.settings import MOST_EVENTS
from serving.collector.settings import make_parser as collector_parser
from serving.http.admin_openapi import admin_openapi_document
from serving.http.openapi import openapi_document
from serving.protocol.limits import Limits
from serving.settings import make_parser
from training.cli.keys import describe


def test_the_committed_pages_are_what_the_code_says():
    assert outdated() == [], "run: make docs"


@pytest.mark.parametrize("name", PAGES)
def test_each_page_says_that_it_is_made(name):
    assert "make docs" in (REFERENCE / name).read_text(encoding="utf-8").splitlines()[0]


def test_every_key_of_every_command_is_listed():
    page = commands_page()
    listed = set(re.findall(r"^\| `([\w.]+)` \|", page, re.MULTILINE))
    assert {"simulate", "prepare", "relate", "train", "evaluate", "export", "promote", "retrain"} <= set(commands())
    for command in commands():
        assert f"## {command}" in page
        assert {key.name for key in describe(schema_of(command))} <= listed


def test_every_flag_is_listed_with_its_variable():
    page = flags_page()
    for action in (*make_parser({})._actions, *collector_parser({})._actions):
        if action.dest != "help":
            assert f"`{action.option_strings[0]}`" in page
    assert "TILLSIDE_LISTEN_PORT; default 8080" in page
    assert "default None" not in page


def test_every_path_and_field_of_the_document_is_listed():
    page = http_page()
    for document in (openapi_document(Limits()), admin_openapi_document(), collector_document(MOST_EVENTS)):
        for path, operations in document["paths"].items():
            assert all(f"## {method.upper()} {path}" in page for method in operations)
        for name, schema in document["components"]["schemas"].items():
            assert f"### {name}" in page
            assert all(f"| `{field}` |" in page for field in schema.get("properties", {}))
            assert all(f"`{choice}`" in page for choice in schema.get("enum", ()))


def test_the_committed_documents_are_what_a_server_of_default_limits_answers_with():
    assert json.loads((REFERENCE / "openapi.json").read_text(encoding="utf-8")) == openapi_document(Limits())
    assert json.loads((REFERENCE / "openapi-admin.json").read_text(encoding="utf-8")) == admin_openapi_document()
    collector = json.loads((REFERENCE / "openapi-collector.json").read_text(encoding="utf-8"))
    assert collector == collector_document(MOST_EVENTS)


def test_a_bar_within_a_cell_is_not_the_end_of_it():
    assert table(("a",), [("x|y\nz",)]) == ["| a |", "| --- |", "| x\\|y z |"]
