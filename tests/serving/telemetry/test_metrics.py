"""What the metrics of a running server count."""

from tests.serving.prometheus import scraped


def test_the_metrics_count(client):
    before = scraped(client)
    client.post("/v1/recommend", json={"session": [{"item_id": "pear"}, {"item_id": "x"}], "behaviour": "cart"})
    client.post("/v1/recommend", json={"session": []})
    client.post("/v1/recommend", json={"session": [], "k": 0})
    after = scraped(client)
    grown = {key: after[key] - before.get(key, 0.0) for key in after if not key[0].endswith(("_created", "_sum"))}
    assert grown["tillside_answers_total", "cart", "", "", "model"] == 1
    assert grown["tillside_answers_total", "click", "", "empty_session", "popularity"] == 1
    assert grown["tillside_responses_total", "200"] == 2
    assert grown["tillside_responses_total", "422"] == 1
    assert grown["tillside_stage_seconds_count", "total"] == 2
    assert grown["tillside_stage_seconds_count", "queue"] == 1
    assert grown["tillside_stage_seconds_count", "encode"] == 1
    assert grown["tillside_stage_seconds_count", "search"] == 1
    assert grown["tillside_unknown_items_total",] == 1
    assert after["tillside_items",] == 5
    assert after["tillside_model_failures_total",] == 0
    assert after["tillside_queue_depth",] == 0
    assert after["tillside_bundle_reloads_total", "loaded"] == 1
    assert after["tillside_catalogue_timestamp_seconds",] > 0
    assert after["tillside_bundle_info", client.get("/v1/model").json()["bundle"]] == 1
