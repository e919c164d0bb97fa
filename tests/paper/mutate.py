"""Try mutations: ``python -m tests.paper.mutate [PART OF A NAME ...]``, as ``make mutations`` does.

Each runs its named test in a process of its own, forked after the libraries are imported and before playahead is. The
process takes one module's source from the mutation instead of from its file, which nobody touches. A mutation is
killed when the test fails on an assertion; a test that breaks otherwise says nothing of the paper.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType

from tests.paper.mutations import MUTATIONS, Mutation

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "playahead"
KILLED, SURVIVED, BROKE = 0, 10, 20


def mutated(mutation: Mutation) -> str:
    """The file's text with the mistake in it.

    Raises:
        ValueError: the text that it replaces does not occur exactly once.
    """
    text = (SOURCE / mutation.file).read_text()
    if text.count(mutation.old) != 1:
        raise ValueError(f"{mutation.name}: its text occurs {text.count(mutation.old)} times in {mutation.file}")
    return text.replace(mutation.old, mutation.new)


class _Mutant(SourceFileLoader):
    """Loads a file's mutated text; no bytecode is read or written."""

    def __init__(self, name: str, path: str, text: str) -> None:
        super().__init__(name, path)
        self._text = text

    def get_code(self, fullname: str) -> CodeType:
        del fullname
        return compile(self._text, self.path, "exec", dont_inherit=True)


class _Finder(MetaPathFinder):
    """Finds one module as a mutant, all others as ever."""

    def __init__(self, mutation: Mutation) -> None:
        self._path = SOURCE / mutation.file
        self._name = ".".join(["playahead", *Path(mutation.file).with_suffix("").parts])
        self._text = mutated(mutation)

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        del path, target
        if fullname != self._name:
            return None
        loader = _Mutant(fullname, str(self._path), self._text)
        return spec_from_file_location(fullname, self._path, loader=loader)


class _Failures:
    """Notes how tests fail (a pytest plugin)."""

    def __init__(self) -> None:
        self.kinds: list[type[BaseException]] = []

    def pytest_exception_interact(self, call: object) -> None:
        self.kinds.append(call.excinfo.type)  # type: ignore[attr-defined]


def _child(mutation: Mutation) -> int:
    """Run the named test on the mutant: how it ended."""
    import pytest

    sys.meta_path.insert(0, _Finder(mutation))
    failures = _Failures()
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    options = ["-o", "addopts=", "-x", "-q", "--no-header", "--tb=no", "-p", "no:cacheprovider", "-p", "no:xdist"]
    ended = pytest.main([*options, str(ROOT / "tests" / mutation.test)], plugins=[failures])
    if ended == pytest.ExitCode.OK:
        return SURVIVED
    asserted = failures.kinds and all(issubclass(kind, AssertionError) for kind in failures.kinds)
    return KILLED if ended == pytest.ExitCode.TESTS_FAILED and asserted else BROKE


def outcomes(mutations: Sequence[Mutation], at_once: int = 1) -> Iterator[tuple[Mutation, int]]:
    """Each mutation with KILLED, SURVIVED or BROKE, as they end."""
    running: dict[int, Mutation] = {}
    waiting = list(mutations)
    while waiting or running:
        while waiting and len(running) < at_once:
            mutation = waiting.pop(0)
            process = os.fork()
            if process == 0:
                try:
                    status = _child(mutation)
                except BaseException:
                    status = BROKE
                os._exit(status)
            running[process] = mutation
        process, status = os.wait()
        if process in running:
            yield running.pop(process), os.waitstatus_to_exitcode(status)


def main(parts: Sequence[str]) -> int:
    """Try those whose names hold one of the parts, or all; 1 where one was not killed."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    _import_libraries()
    chosen = [m for m in MUTATIONS if not parts or any(part in m.name for part in parts)]
    words = {KILLED: "killed", SURVIVED: "SURVIVED", BROKE: "BROKE"}
    lived = 0
    for mutation, ended in outcomes(chosen, os.cpu_count() or 1):
        lived += ended != KILLED
        print(f"{words.get(ended, 'CRASHED'):8}  {mutation.name}  [{mutation.test}]", flush=True)
    print(f"{len(chosen) - lived} of {len(chosen)} killed")
    return 1 if lived else 0


def _import_libraries() -> None:
    """What every child would import anew; nothing of playahead, which must be imported as a mutant."""
    libraries = ("torch.optim.swa_utils", "lightning_fabric", "scipy.optimize", "scipy.ndimage", "av", "PIL.Image")
    for name in (*libraries, "jsonargparse", "rich.progress", "safetensors.torch", "pytest"):
        import_module(name)
    assert not any(name.split(".")[0] == "playahead" for name in sys.modules)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
