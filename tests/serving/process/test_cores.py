"""As many workers as whole cores may be used."""

import pytest

from serving.process.cores import usable_cores


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({}, None),
        ({"cpu.max": "max 100000"}, None),
        ({"cpu.max": "100000 100000"}, 1),
        ({"cpu.max": "150000 100000"}, 1),
        ({"cpu.max": "20000 100000"}, 1),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None),
        ({"cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "100000"}, 1),
        ({"cpu.max": "nonsense"}, None),
        ({"shop/cpu.max": "100000 100000", "shop/pod/cpu.max": "max 100000"}, 1),  # the parent's quota binds, too
        ({"elsewhere/cpu.max": "100000 100000"}, None),
    ],
)
def test_a_worker_for_each_core_of_the_quota(tmp_path, files, cores, monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(64)))
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    (tmp_path / "membership").write_text("3:cpuset:/\n0::/shop/pod\n")
    assert usable_cores(cgroups=tmp_path, membership=tmp_path / "membership") == (cores or 64)


def test_a_quota_of_several_cores_and_of_the_first_version(tmp_path, monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(64)))
    (tmp_path / "cpu/shop").mkdir(parents=True)
    (tmp_path / "cpu/shop/cpu.cfs_quota_us").write_text("350000\n")
    (tmp_path / "cpu/shop/cpu.cfs_period_us").write_text("100000\n")
    (tmp_path / "membership").write_text("4:cpu,cpuacct:/shop\n")
    assert usable_cores(cgroups=tmp_path, membership=tmp_path / "membership") == 3
