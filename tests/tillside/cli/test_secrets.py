"""What is secret is cut wherever it stands in a text, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillside.cli.secrets import stripped, without_secrets


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("MLflow at http://ana:hunter2@host:5000/x: away", "MLflow at http://host:5000/x: away"),
        ("postgresql+psycopg2://u:p%40ss@[::1]:5432/db", "postgresql+psycopg2://[::1]:5432/db"),
        ("http://token@host", "http://host"),
        ("http://ana:a@b@host/x", "http://host/x"),
        ("http://ana:a/b@host/x", "http://host/x"),
        ("no file https:/ana:hunter2@host/log.csv", "no file https:/host/log.csv"),
        ("https://host/log.csv?X-Amz-Signature=abc&part=1", "https://host/log.csv?X-Amz-Signature=***&part=1"),
        ("postgresql://host/db?user=a&password=b", "postgresql://host/db?user=a&password=***"),
        ("'s3://key:word@bucket/a', \"http://u:p@h\"", "'s3://bucket/a', \"http://h\""),
    ],
)
def test_user_info_and_telling_parameters_go(text, left):
    assert without_secrets(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "models:/shop@champion",
        "s3://bucket/picture@2x.png",
        "http://host:5000/#/runs/a@b",
        "http://[::1]:5000/a@b",
        "ana@host",
        "file:///shelf/a b@c",
        "dataset=a",
        "runs:/abc/model@x",
        "token=abc",
    ],
)
def test_all_else_stays(text):
    assert without_secrets(text) == text


@pytest.mark.parametrize("name", ["DB_PASSWORD", "MLFLOW_TRACKING_TOKEN", "AWS_SECRET_ACCESS_KEY", "SOME_API_KEY"])
def test_values_of_telling_variables_go_and_those_of_others_stay(monkeypatch, name):
    monkeypatch.setenv(name, "hunter2")
    monkeypatch.setenv("HERE", "meadow-7")
    monkeypatch.setenv("TILLSIDE_ADMIN_TOKEN", "adm")
    assert without_secrets("admin at hunter2 in meadow-7") == "admin at *** in meadow-7"


def test_a_document_is_stripped_throughout():
    document = {"uri": "http://a:b@h", "list": [("http://a:b@h", 1)], "n": None}
    assert stripped(document) == {"uri": "http://h", "list": [("http://h", 1)], "n": None}


@given(st.text(st.characters(exclude_characters=" \t\n\r'\"<>`/@?#:", codec="ascii", min_codepoint=33), min_size=8))
def test_no_password_survives_in_an_address(password):
    told = without_secrets(f"error: http://ana:{password}@host.example:5000/path, and more")
    assert told == "error: http://host.example:5000/path, and more"
