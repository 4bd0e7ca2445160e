"""The schemas of ``/v1/model`` and of a reload's report say what the server answers."""

from openapi_schema_validator import OAS31Validator

from serving.bundles.reloading import Report
from serving.http.model_schema import EXAMPLE_MODEL, EXAMPLE_RELOAD, model_schemas, reload_schemas


def conforms(schema: str, instance) -> None:
    OAS31Validator({"$ref": f"#/components/schemas/{schema}", "components": {"schemas": model_schemas()}}).validate(
        instance
    )


def test_the_examples_conform():
    conforms("Model", EXAMPLE_MODEL)
    conforms("ReloadReport", EXAMPLE_RELOAD)


def test_a_bundle_without_provenance_policy_or_feed_conforms():
    nothing = dict.fromkeys(("dataset", "run", "measurements", "policy", "items_feed"))
    conforms("Model", {**EXAMPLE_MODEL, **nothing, "git": {}})


def test_a_running_servers_model_conforms_and_has_no_other_field(client):
    answer = client.get("/v1/model").json()
    conforms("Model", answer)
    assert answer.keys() == model_schemas()["Model"]["properties"].keys()
    assert answer["dataset"] == {"name": "orchard", "digest": "0" * 64}
    assert answer["measurements"] == {"recall@20": 1.0}


def test_a_report_has_the_fields_of_a_reload():
    assert reload_schemas()["ReloadReport"]["properties"].keys() == Report.__annotations__.keys()
