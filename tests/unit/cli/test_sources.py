"""Where documents are: files, folders, patterns and archives."""

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pytest

from infra.cli import sources
from infra.cli.screen import UsageError
from infra.cli.sources import Source, SourceError, find_sources


def names(folder: Path, found: list[Source]) -> list[str]:
    return [str(source).removeprefix(f"{folder}/") for source in found]


def packed(path: Path, members: Mapping[str, bytes]) -> Path:
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return path


def why(source: Source) -> str:
    with pytest.raises(SourceError) as caught:
        source.read()
    return str(caught.value)


def test_folders_hold_all_that_is_in_them_by_name_but_what_is_hidden(tmp_path: Path) -> None:
    for name in ("b/2.json", "b/1.json.gz", "b/deep/3.csv", ".git/x", "b/.DS_Store", "__MACOSX/y", "a.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)

    found = find_sources([tmp_path])

    assert names(tmp_path, found) == ["a.json", "b/1.json.gz", "b/2.json", "b/deep/3.csv"]
    assert [source.read() for source in found] == [b"a.json", b"b/1.json.gz", b"b/2.json", b"b/deep/3.csv"]


def test_a_name_in_another_encoding_is_read_and_can_be_recorded(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode("Été".encode("latin-1"))
    folder.mkdir()
    (folder / os.fsdecode("juin é.json".encode("latin-1"))).write_bytes(b"[]")
    packed(folder / "août.zip", {"1.json": b"{}"})

    found = find_sources([tmp_path])

    assert [str(source).encode().decode().removeprefix(f"{tmp_path}/") for source in found] == [
        "\ufffdt\ufffd/août.zip/1.json",
        "\ufffdt\ufffd/juin \ufffd.json",
    ]
    assert [source.read() for source in found] == [b"{}", b"[]"]


def test_what_was_named_comes_in_its_order_and_once(tmp_path: Path) -> None:
    for name in ("a.json", "b.json"):
        (tmp_path / name).touch()
    (tmp_path / "same.json").symlink_to(tmp_path / "a.json")

    found = find_sources([tmp_path / "b.json", tmp_path, tmp_path / "a.json"])

    assert names(tmp_path, found) == ["b.json", "a.json"]


def test_a_pattern_that_no_shell_expanded_is_expanded(tmp_path: Path) -> None:
    for name in ("2024/a.json", "2025/b.json", "2025/c.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    assert names(tmp_path, find_sources([tmp_path / "**/*.json"])) == ["2024/a.json", "2025/b.json"]


@pytest.mark.parametrize("name", ["no.json", "no-*.json"])
def test_what_there_is_not_is_a_wrong_use(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="there is no such file or folder"):
        find_sources([tmp_path / name])


def test_members_of_an_archive_are_read_without_unpacking_it(tmp_path: Path) -> None:
    archive = packed(
        tmp_path / "archive.zip", {"b/2.json": b"two", "a/": b"", "a/1.json": b"one", "__MACOSX/a/._1.json": b"x"}
    )

    found = find_sources([archive])

    assert names(tmp_path, found) == ["archive.zip/a/1.json", "archive.zip/b/2.json"]
    assert [source.read() for source in found] == [b"one", b"two"]
    assert list(tmp_path.iterdir()) == [archive]


def test_more_archives_than_may_be_open_are_read(tmp_path: Path) -> None:
    for number in range(30):
        packed(tmp_path / f"{number:02}.zip", {"a.json": str(number).encode()})

    found = find_sources([tmp_path])

    assert [source.read() for source in found + found] == [str(number).encode() for number in [*range(30)] * 2]


@pytest.mark.parametrize("name", ["../x.json", "a/../../x.json", "/etc/x.json", "a\\..\\x.json", "C:/x.json"])
def test_a_member_whose_name_leads_out_of_the_archive_is_refused(tmp_path: Path, name: str) -> None:
    archive = packed(tmp_path / "a.zip", {name: b"{}", "good.json": b"{}"})

    found = {str(source): source for source in find_sources([archive])}

    assert found.pop(f"{archive}/good.json").read() == b"{}"
    (source,) = found.values()
    assert name in str(source)
    assert "leads out of the archive" in why(source)


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    archive = packed(tmp_path / "a.zip", {"x.json": b"{}"})
    body = bytearray(archive.read_bytes())
    for header, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        body[body.index(header) + flags] |= 1
    archive.write_bytes(body)

    (source,) = find_sources([archive])

    assert "encrypted" in why(source)


def test_an_archive_that_unpacks_to_what_no_archive_of_documents_does_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a bomb beside an archive that repeats itself as documents do
    monkeypatch.setattr(sources, "MOST_BYTES", 1_000_000)
    bomb = packed(tmp_path / "bomb.zip", {f"{number}.json": bytes(900_000) for number in range(2)})
    text = b"".join(b'{"track": %d, "markets": ["AD", "AE"]},' % number for number in range(20_000))
    sound = packed(tmp_path / "sound.zip", {f"{number}.json": text for number in range(2)})

    assert len(text) * 2 > 1_000_000
    (refused,) = find_sources([bomb])
    assert "a zip bomb: it unpacks to 2 MB" in why(refused)
    assert [source.read() for source in find_sources([sound])] == [text, text]


def test_what_is_larger_than_any_document_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MOST_BYTES", 1_000_000)
    (tmp_path / "a.json").write_bytes(bytes(1_000_001))
    large = ZipInfo("b.json")
    with ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr(large, os.urandom(1_000_001))

    assert all("1 MB, where the largest playlist takes 1 MB" in why(source) for source in find_sources([tmp_path]))


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [
        ("broken.zip", b"PK\x03\x04 and no more", "a zip archive that cannot be read"),
        ("a.tar.gz", b"\x1f\x8b", "an archive that is not zip; unpack it"),
        ("a.7z", b"7z", "an archive that is not zip; unpack it"),
    ],
)
def test_other_archives_are_refused_with_what_to_do(tmp_path: Path, name: str, body: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(body)

    (source,) = find_sources([tmp_path])

    assert reason in why(source)


def test_an_archive_within_an_archive_and_an_office_document_are_refused(tmp_path: Path) -> None:
    inner = packed(tmp_path / "inner", {"x.json": b"{}"}).read_bytes()
    (tmp_path / "inner").unlink()
    packed(tmp_path / "outer.zip", {"inner.zip": inner})
    packed(tmp_path / "table.xlsx", {"[Content_Types].xml": b"x", "xl/workbook.xml": b"x"})

    outer, table = find_sources([tmp_path])

    assert "an archive within an archive" in why(outer)
    assert "a document of an office program" in why(table)


def test_a_damaged_member_is_refused_alone(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.json", b"damaged")
        archive.writestr("b.json", b"sound")
    body = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(body.replace(b"damaged", b"dimaged"))

    first, second = find_sources([tmp_path / "a.zip"])

    assert "it cannot be unpacked: Bad CRC-32" in why(first)
    assert second.read() == b"sound"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({6: 64}, "a zip archive that cannot be read: zip file version 6.4; get it again"),
        ({10: 99}, "it cannot be unpacked: That compression method is not supported; unpack it yourself"),
        ({22: 1, 26: 1}, "it cannot be unpacked: (it is cut off|Overlapped entries: .*); unpack it yourself"),
        ({46: 0}, "it cannot be unpacked: File name in directory"),
    ],
    ids=["needs a later version", "an unknown method", "shorter than it says", "without a name"],
)
def test_a_damaged_directory_is_refused_with_what_to_do(tmp_path: Path, changes: dict[int, int], reason: str) -> None:
    with ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.json", b"one")
    body = bytearray((tmp_path / "a.zip").read_bytes())
    for place, value in changes.items():
        body[body.index(b"PK\x01\x02") + place] = value
    (tmp_path / "a.zip").write_bytes(body)

    (source,) = find_sources([tmp_path])

    assert re.match(reason, why(source))


def test_what_cannot_be_read_twice_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")

    dangling, pipe = find_sources([tmp_path])

    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    assert "not a file that can be read twice" in why(pipe)
    assert "it cannot be read: No such file or directory" in why(dangling)
