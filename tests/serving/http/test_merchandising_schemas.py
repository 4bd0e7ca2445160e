"""What the admin port's document says of rows set by hand is what is read, and what is answered what is written."""

import msgspec
import pytest
from openapi_schema_validator import OAS31Validator

from serving.http.admin_openapi import admin_openapi_document
from serving.http.merchandising import Back
from serving.http.merchandising_openapi import ABOUT
from tillside.policy.merchandising import PARTS, ROW_OF, ByHand
from tillside.policy.row_reader import read_rows

DOCUMENT = admin_openapi_document()
SCHEMAS = DOCUMENT["components"]["schemas"]


@pytest.mark.parametrize("part", PARTS)
def test_rows_have_the_fields_that_are_read_and_the_example_is_one(part):
    kind = ROW_OF[part]
    fields = {field.encode_name for field in msgspec.structs.fields(kind)}
    assert SCHEMAS[kind.__name__]["properties"].keys() == fields
    assert all("default" not in each for each in SCHEMAS[kind.__name__]["properties"].values())
    _, row = ABOUT[part]
    (read,) = read_rows(part, msgspec.json.encode([row]))
    schema = {"$ref": f"#/components/schemas/{kind.__name__}", "components": DOCUMENT["components"]}
    OAS31Validator(schema).validate(row)
    OAS31Validator(schema).validate(msgspec.json.decode(msgspec.json.encode(read)))


def test_what_is_answered_has_the_fields_that_are_written():
    assert SCHEMAS["ByHand"]["properties"].keys() == set(ByHand.__struct_fields__)
    assert SCHEMAS["RevisionOrder"]["properties"].keys() == set(Back.__struct_fields__)
