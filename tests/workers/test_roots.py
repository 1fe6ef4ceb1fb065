"""A name finds a file of the root, or nothing; no way leads out."""

import os
from pathlib import Path

import pytest

from workers.errors import FileNotAllowed
from workers.errors import FileNotThere
from workers.roots import Root


@pytest.fixture
def root(tmp_path: Path) -> Root:
    """Return a root with a file and a folder, beside a file that is none of its."""
    folder = tmp_path / "root"
    (folder / "team").mkdir(parents=True)
    (folder / "a.pt").write_bytes(b"a")
    (folder / "team" / "b-1.0 (best).safetensors").write_bytes(b"b")
    (folder / ".hidden.pt").write_bytes(b"h")
    (tmp_path / "secret.pt").write_bytes(b"s")
    return Root(folder, "model root", "BITFLOOR_MODEL_ROOT")


class TestFile:
    @pytest.mark.parametrize("name", ["a.pt", "team/b-1.0 (best).safetensors"])
    def test_a_file_of_the_root_is_found_in_folders_too(self, root: Root, name: str) -> None:
        assert root.file(name) == (root.folder / name).resolve()

    @pytest.mark.parametrize(
        "name",
        [
            "",
            ".",
            "..",
            "../secret.pt",
            "team/../../secret.pt",
            "team/../a.pt",
            "./a.pt",
            "/etc/passwd",
            "//a.pt",
            "team//b.pt",
            "a.pt/",
            "a.pt\0",
            "a\0.pt",
            "a.pt\n",
            "%2e%2e/secret.pt",
            "..%2fsecret.pt",
            "%252e%252e/secret.pt",
            "..\\secret.pt",
            "C:a.pt",
            "~/secret.pt",
            "-rf",
            ".hidden.pt",
            "\uff0e\uff0e/secret.pt",
            "\u2025/secret.pt",
            "x" * 256,
        ],
    )
    def test_a_name_that_could_mean_something_else_is_refused(self, root: Root, name: str) -> None:
        with pytest.raises(FileNotAllowed, match="model root"):
            root.file(name)

    def test_an_absolute_name_of_the_roots_own_file_is_refused_too(self, root: Root) -> None:
        with pytest.raises(FileNotAllowed):
            root.file(str(root.folder / "a.pt"))

    def test_a_link_out_of_the_root_is_refused(self, root: Root, tmp_path: Path) -> None:
        (root.folder / "link.pt").symlink_to(tmp_path / "secret.pt")
        (root.folder / "up").symlink_to(tmp_path)
        for name in ("link.pt", "up/secret.pt", "up/root/../secret.pt"):
            with pytest.raises(FileNotAllowed):
                root.file(name)

    def test_a_link_within_the_root_is_followed(self, root: Root) -> None:
        (root.folder / "link.pt").symlink_to("a.pt")
        assert root.file("link.pt").read_bytes() == b"a"

    def test_a_root_that_is_a_link_itself_is_a_root(self, root: Root, tmp_path: Path) -> None:
        (tmp_path / "alias").symlink_to(root.folder)
        assert Root(tmp_path / "alias", "r", "V").file("a.pt").read_bytes() == b"a"

    def test_a_neighbour_whose_name_begins_alike_is_outside(
        self, root: Root, tmp_path: Path
    ) -> None:
        (tmp_path / "root-2").mkdir()
        (tmp_path / "root-2" / "c.pt").write_bytes(b"c")
        (root.folder / "c.pt").symlink_to(tmp_path / "root-2" / "c.pt")
        with pytest.raises(FileNotAllowed, match="leads out"):
            root.file("c.pt")

    def test_what_is_missing_is_told_with_the_variable(self, root: Root) -> None:
        (root.folder / "loop.pt").symlink_to("loop.pt")
        (root.folder / "dangling.pt").symlink_to("nowhere.pt")
        for name in ("b.pt", "a.pt/b.pt", "loop.pt", "dangling.pt"):
            with pytest.raises(FileNotThere, match="BITFLOOR_MODEL_ROOT"):
                root.file(name)

    def test_a_root_that_is_not_there_has_no_file(self, tmp_path: Path) -> None:
        nowhere = Root(tmp_path / "nowhere", "model root", "V")
        assert nowhere.files(".pt") == ()
        with pytest.raises(FileNotThere):
            nowhere.file("a.pt")

    def test_neither_a_folder_nor_a_pipe_is_a_file(self, root: Root) -> None:
        os.mkfifo(root.folder / "pipe.pt")
        for name in ("team", "pipe.pt"):
            with pytest.raises(FileNotAllowed, match="no regular file"):
                root.file(name)


class TestFind:
    def test_a_folder_is_found_as_a_file_is(self, root: Root) -> None:
        assert root.find("team") == (root.folder / "team").resolve()


class TestFiles:
    def test_only_files_that_can_be_named_are_listed(self, root: Root, tmp_path: Path) -> None:
        (root.folder / "out.pt").symlink_to(tmp_path / "secret.pt")
        (root.folder / "folder.pt").mkdir()
        (root.folder / "50%.pt").write_bytes(b"")
        (root.folder / "z.pth").write_bytes(b"")
        assert root.files(".pt") == ("a.pt",)
        assert root.files(".pt", ".pth") == ("a.pt", "z.pth")
