"""Version, changelog, Makefile and workflows name the same things."""

import re
import tomllib

import pytest
import yaml

from tests.support.paths import ROOT

WORKFLOWS = sorted((ROOT / ".github").rglob("*.yml"))
TARGETS = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
CI = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())["jobs"]


def test_the_changelog_has_a_section_of_this_version():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    changelog = (ROOT / "CHANGELOG.md").read_text()
    assert re.search(rf"^## {re.escape(version)} - 20\d\d-\d\d-\d\d$", changelog, re.MULTILINE)


@pytest.mark.parametrize("file", [*WORKFLOWS, ROOT / ".ci" / "run"], ids=lambda file: file.name)
def test_every_target_that_ci_makes_exists(file):
    named = re.findall(r"^\s*(?:- run: |)make ([\w-]+)", file.read_text(), re.MULTILINE)
    assert set(named) <= TARGETS
    assert named or file.name == "release.yml"


def test_all_green_waits_for_every_job_and_every_job_ends():
    assert set(CI["all-green"]["needs"]) == set(CI) - {"all-green"}
    assert CI["all-green"]["steps"][0]["run"].count("success") == len(CI) - 1
    assert all(0 < job["timeout-minutes"] <= 45 for job in CI.values())


def test_files_that_the_pages_name_exist():
    """The log and what was measured once name files of their day, the how-tos files that a reader makes."""
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    missing = []
    for page in pages:
        if page.name in ("log.md", "measurements.md", "history.md") or page.parent.name == "how-to":
            continue
        named = set(re.findall(r"`((?:src/playahead|tests|benchmarks|scripts|examples)/[\w./]+)`", page.read_text()))
        rooms = r"`((?:cli|paper|variants|domain|io|sources|video|features)/(?!test_)[\w/]+\.py)`"
        named |= {f"src/playahead/{name}" for name in re.findall(rooms, page.read_text())}
        missing += [f"{page.name}: {name}" for name in sorted(named) if not (ROOT / name).exists()]
    assert not missing
