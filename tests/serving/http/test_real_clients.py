"""Clients that shops have, as they come, against the running server: every request answered, the connection kept.

Java's HttpClient and ``curl --http2`` ask for h2c on every request.
"""

import json
import shutil
import subprocess
import sys

import httpx
import pytest

PATIENCE = 120
BODY = json.dumps({"session": [{"item_id": "pear"}], "k": 1})
JAVA = """
import java.net.URI;
import java.net.http.*;

public class Ask {
  public static void main(String[] a) throws Exception {
    HttpClient client = HttpClient.newHttpClient();
    for (int i = 0; i < 3; i++) {
      HttpRequest request = HttpRequest.newBuilder(URI.create(a[0] + "/v1/recommend"))
          .header("content-type", "application/json").POST(HttpRequest.BodyPublishers.ofString(a[1])).build();
      HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
      System.out.println(response.statusCode() + " " + response.body());
    }
  }
}
"""
NODE = """
const [url, body] = process.argv.slice(1);
for (let i = 0; i < 3; i++) {
  const response = await fetch(`${url}/v1/recommend`, {
    method: "POST", headers: {"content-type": "application/json"}, body});
  console.log(response.status, await response.text());
}
"""
REQUESTS = """
import sys, requests
with requests.Session() as session:
    for _ in range(3):
        headers = {"content-type": "application/json"}
        response = session.post(sys.argv[1] + "/v1/recommend", data=sys.argv[2], headers=headers)
        print(response.status_code, response.text)
"""


def answers(*command: str) -> list[tuple[str, dict]]:
    """Status and answer of each line that a client printed."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
    return [(line.partition(" ")[0], json.loads(line.partition(" ")[2])) for line in done.stdout.splitlines()]


def check(found: list[tuple[str, dict]], count: int = 3) -> None:
    assert [(status, answer["tier"]) for status, answer in found] == [("200", "model")] * count


def test_javas_http_client(running, tmp_path):
    (tmp_path / "Ask.java").write_text(JAVA)
    check(answers("java", "-XX:TieredStopAtLevel=1", str(tmp_path / "Ask.java"), running.url, BODY))


@pytest.mark.parametrize("flags", [[], ["--http2"], ["--http1.0"], ["-H", "expect: 100-continue"]], ids=str)
def test_curl(running, flags):
    """Three requests on one connection."""
    one = ["-s", *flags, "-w", "%{stderr}%{http_code}/%{num_connects} ", "-H", "content-type: application/json"]
    one += ["-d", BODY, f"{running.url}/v1/recommend"]
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    asked = [*one, "--next", *one, "--next", *one]
    done = subprocess.run(["curl", *asked], capture_output=True, text=True, timeout=PATIENCE, check=True)
    again = "1" if "--http1.0" in flags else "0"
    assert done.stderr.split() == ["200/1", f"200/{again}", f"200/{again}"]
    assert done.stdout.count('"tier":"model"') == 3


def test_fetch_of_node(running):
    check(answers("node", "--input-type=module", "-e", NODE, running.url, BODY))


def test_httpx(running):
    with httpx.Client() as client:
        responses = [
            client.post(f"{running.url}/v1/recommend", content=BODY, headers={"content-type": "application/json"})
            for _ in range(3)
        ]
    check([(str(each.status_code), each.json()) for each in responses])


def test_requests(running):
    pytest.importorskip("requests")
    check(answers(sys.executable, "-c", REQUESTS, running.url, BODY))
