"""Files that requests name: each is looked for inside one folder, and nothing leads out of it."""

import re
from dataclasses import dataclass
from pathlib import Path

from workers.errors import FileNotAllowed
from workers.errors import FileNotThere

LONGEST_NAME = 255  # characters

#: One part of a relative name. No leading dot, so neither ".." nor a hidden file; no separator of
#: another system, no colon, no control character, and no percent sign, so that what a proxy or a
#: URL might decode is never a name to begin with.
_PART = re.compile(r"\w[\w.+@=,() -]*")


@dataclass(frozen=True, slots=True)
class Root:
    """A folder that the operator fills and requests may name files of."""

    folder: Path
    #: as people call it, such as "model root"
    title: str
    #: the variable that moves it
    variable: str

    def find(self, name: str) -> Path:
        """Return the resolved path of the file or folder of this relative name.

        Raises FileNotAllowed for a name that could lead out of the root, as itself or through a
        symbolic link, and FileNotThere where nothing has it.
        """
        self._require_allowed(name)
        try:
            # strict follows every link and says when there is nothing at its end
            found = (self.folder / name).resolve(strict=True)
            inside = found.is_relative_to(self.folder.resolve(strict=True))
        except (OSError, RuntimeError) as error:
            raise FileNotThere(name, self.title, variable=self.variable) from error
        if not inside:
            raise FileNotAllowed(name, self.title, why="a symbolic link leads out of it")
        return found

    def file(self, name: str) -> Path:
        """Return the resolved path of the regular file; raises as `find` does."""
        found = self.find(name)
        if not found.is_file():
            raise FileNotAllowed(name, self.title, why="it is no regular file")
        return found

    def files(self, *suffixes: str) -> tuple[str, ...]:
        """Return the names of the root's own files that end so and that `file` accepts, sorted.

        None, if the root is not there.
        """
        try:
            present = [entry.name for entry in self.folder.iterdir()]
        except OSError:
            return ()
        return tuple(sorted(n for n in present if n.endswith(suffixes) and self._usable(n)))

    def _usable(self, name: str) -> bool:
        try:
            self.file(name)
        except (FileNotAllowed, FileNotThere):
            return False
        return True

    def _require_allowed(self, name: str) -> None:
        if len(name) > LONGEST_NAME:
            raise FileNotAllowed(
                name[:80], self.title, why=f"a name has at most {LONGEST_NAME} characters"
            )
        if not all(_PART.fullmatch(part) for part in name.split("/")):
            why = (
                "a name is relative to it, in letters, digits and ._+@=,()- with / between folders"
            )
            raise FileNotAllowed(name[:80], self.title, why=why)
