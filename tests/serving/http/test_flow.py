"""Reading goes on only when nobody holds it and somebody wants it to."""

import asyncio

import pytest

from serving.http.flow import Flow


class Transport:
    reading = True

    def pause_reading(self):
        self.reading = False

    def resume_reading(self):
        self.reading = True


@pytest.mark.parametrize(
    ("steps", "reading"),
    [
        ("hold", [False]),
        ("hold let_go", [False, True]),
        ("hold resume let_go", [False, False, True]),
        ("pause hold let_go resume", [False, False, False, True]),
        ("pause hold resume let_go", [False, False, False, True]),
        ("hold hold let_go let_go", [False, False, True, True]),
    ],
)
def test_reading_after_each_step(steps, reading):
    async def run():
        transport = Transport()
        flow = Flow(transport)
        does = {
            "hold": lambda: flow.hold(True),
            "let_go": lambda: flow.hold(False),
            "pause": flow.pause_reading,
            "resume": flow.resume_reading,
        }
        seen = []
        for step in steps.split():
            does[step]()
            seen.append(transport.reading)
        return seen

    assert asyncio.run(run()) == reading
