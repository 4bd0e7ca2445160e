"""What a study's storage opened is closed behind it, also after a fault."""

import os

import optuna
import pytest

from training.sweeps.study_file import STUDY_FILE, storage_of


def open_files(folder):
    held = (os.path.realpath(f"/proc/self/fd/{each}") for each in os.listdir("/proc/self/fd"))
    return [each for each in held if each.startswith(str(folder.resolve()))]


def test_trials_stay_and_nothing_stays_open(tmp_path):
    with storage_of(tmp_path) as storage:
        study = optuna.create_study(storage=storage, study_name="sweep", direction="maximize")
        study.tell(study.ask(), 0.5)
        assert open_files(tmp_path)
    assert open_files(tmp_path) == []
    with storage_of(tmp_path) as storage:
        assert optuna.load_study(study_name="sweep", storage=storage).best_value == 0.5
    assert (tmp_path / STUDY_FILE).is_file()


def test_a_fault_closes_it_too(tmp_path):
    def study_that_fails():
        with storage_of(tmp_path) as storage:
            optuna.create_study(storage=storage, study_name="sweep")
            raise ValueError("in the middle")

    with pytest.raises(ValueError, match="in the middle"):
        study_that_fails()
    assert open_files(tmp_path) == []
