"""The list of mutations cannot rot, and the runner tells what is noticed from what is not (all: ``make mutations``)."""

import re
import subprocess
import sys

import pytest

from tests.paper.mutate import ROOT, SOURCE, mutated
from tests.paper.mutations import MUTATIONS, Mutation


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_mutation_still_applies_and_its_test_exists(mutation):
    text = mutated(mutation)
    assert text != (SOURCE / mutation.file).read_text()
    compile(text, mutation.file, "exec", dont_inherit=True)
    path, name = mutation.test.split("::")
    assert re.search(rf"^def {name}\(", (ROOT / "tests" / path).read_text(), re.MULTILINE)


def test_mutations_are_many_and_each_has_a_name():
    names = [mutation.name for mutation in MUTATIONS]
    assert len(set(names)) == len(names) >= 84


def test_a_text_that_is_gone_is_refused():
    with pytest.raises(ValueError, match="occurs 0 times"):
        mutated(Mutation("gone", "lab/recipes.py", "no such text", "", ""))
    with pytest.raises(ValueError, match=r"occurs \d+ times"):
        mutated(Mutation("twice", "lab/recipes.py", "return", "raise", ""))


RUNNER = """
from tests.paper.mutate import KILLED, SURVIVED, BROKE, outcomes
from tests.paper.mutations import Mutation
file, old = "paper/targets.py", "(2 * sigma_bins**2)"
test = "paper/test_losses.py::test_soft_bins_follow_equation_six"
tried = {"1 * sigma_bins**2": KILLED, "(sigma_bins**2 * 2)": SURVIVED, "unknown": BROKE}
ended = dict((m.new, found) for m, found in outcomes([Mutation(new, file, old, new, test) for new in tried]))
assert ended == tried, ended
"""


@pytest.mark.slow
def test_the_runner_knows_killed_from_survived_from_broken():
    """A mistake, an equal formula, and an unknown name, in a process where nothing of playahead is imported."""
    subprocess.run([sys.executable, "-c", RUNNER], check=True, cwd=ROOT, timeout=200)
