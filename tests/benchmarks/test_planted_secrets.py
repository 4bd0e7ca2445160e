"""Finds are counted from the tests' report: a scene that was left out is no scene without a find."""

import pytest

from benchmarks.planted_secrets import counted


def report_of(path, *cases: str):
    path.write_text(f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>")
    return path


def test_scenes_that_failed_or_broke_are_finds(tmp_path):
    cases = ["<testcase/>", "<testcase><failure/></testcase>", "<testcase><error/></testcase>", "<testcase/>"]
    assert counted(report_of(tmp_path / "report.xml", *cases)) == (4, 2)


@pytest.mark.parametrize("cases", [[], ["<testcase/>", "<testcase><skipped/></testcase>"]])
def test_a_report_without_all_scenes_is_none(tmp_path, cases):
    with pytest.raises(ValueError, match="scenes are missing"):
        counted(report_of(tmp_path / "report.xml", *cases))
