"""Run by .ci/run: what a wheel and an sdist hold, and what they do not.

python tests/distribution.py tillside-VERSION.whl tillside-VERSION.tar.gz
"""

import sys
import tarfile
import zipfile

IN_WHEEL = ("tillside/py.typed", "serving/py.typed", "tillside/configs/train.yaml", "serving/ops/prometheus/alerts.yml")
IN_SDIST = ("pyproject.toml", "constraints.txt", "LICENSE", "README.md", "docs/policy.md", "configs/train.yaml")
TOPS_OF_WHEEL = {"tillside", "training", "serving"}
TOPS_OF_SDIST = {"src", "training", "serving", "configs", "docs"}


def faults(wheel: str, sdist: str) -> list[str]:
    """A sentence for everything that is missing or does not belong there."""
    with zipfile.ZipFile(wheel) as archive:
        installed = [name for name in archive.namelist() if ".dist-info/" not in name]
        [entries] = [name for name in archive.namelist() if name.endswith("entry_points.txt")]
        console = archive.read(entries).decode()
    with tarfile.open(sdist) as packed:
        files = [member.name.partition("/")[2] for member in packed.getmembers() if member.isfile()]
    found = [f"the wheel lacks {name}" for name in IN_WHEEL if name not in installed]
    found += [f"the sdist lacks {name}" for name in IN_SDIST if name not in files]
    found += [f"the wheel holds {name}" for name in installed if name.partition("/")[0] not in TOPS_OF_WHEEL]
    strays = [name for name in files if "/" in name and name.partition("/")[0] not in TOPS_OF_SDIST]
    found += [f"the sdist holds {name}" for name in strays]
    if "tillside = tillside.cli.main:main" not in console:
        found.append("the wheel has no command tillside")
    return found


if __name__ == "__main__":
    wrong = faults(*sys.argv[1:])
    if wrong:
        sys.exit("\n".join(wrong))
    print("wheel and sdist hold what they should, and nothing else")
