"""A cache makes what it is asked for once, as long as it remembers."""

from tillside.policy.items.cache import Cache


def test_a_memory_forgets_what_came_first() -> None:
    memory, made = Cache(2), []

    def get(key: str) -> str:
        return memory.get(key, lambda: made.append(key) or key.upper())

    assert [get(key) for key in "abacab"] == list("ABACAB")
    assert made == ["a", "b", "c", "a", "b"]
