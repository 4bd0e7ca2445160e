"""Keys are the same in every run, and apart for different ids."""

from training.feedback.keys import hashes, key


def test_keys_do_not_change_between_runs_since_staged_files_hold_them():
    assert key(hashes(["r1", "r2"])).to_pylist() == [-5153736213933545996, 9156549823637377705]
    assert key(hashes(["r1"]), hashes(["case"])).to_pylist() == [5959350346984204660]


def test_a_key_of_nothing_is_null():
    assert key(hashes(["r1", None, "r1"]), hashes(["a", "a", None])).null_count == 2


def test_the_parts_of_a_key_are_told_apart():
    """Item and recommendation changed places, and ids that run on from each other."""
    one, other = key(hashes(["a", "ab"]), hashes(["b", "c"])), key(hashes(["b", "a"]), hashes(["a", "bc"]))
    assert len({*one.to_pylist(), *other.to_pylist()}) == 4
