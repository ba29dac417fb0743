"""Pictures that belong together by their names: versions of one source, bursts, video frames, a person's.

Names only propose: a person takes a proposal on Data or with `--groups names`, or writes a table of her own,
`headswap-groups.csv` beside the pictures: file, group. Pictures of one group stay on one side of the split.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tl_core.base.errors import BadGroups
from tl_core.base.files.atomic import write_atomic
from tl_core.base.files.file_names import composed

FILE = "headswap-groups.csv"
NAMES, NONE = "names", "none"
"""Values of the setting `groups` that are no file: what the names say; nothing, not even the table."""
COLUMNS = ("file", "group")

_KINDS = {
    # NAME_jpg.rf.<hash>.jpg: Roboflow's augmented versions of one picture, and frames of one video
    "roboflow": r"(?P<key>.+?)(?:_(?:mp4|mov|avi|mkv|webm)-\d+)?"
    r"_(?:jpe?g|png|bmp|webp|tiff?)\.rf\.\w{16,}\.\w+",
    # Android, Huawei, Samsung, Pixel; GoPro: G, three digits of the burst, four of the picture
    "burst": r"(?P<key>.*?\d{8}_\d{6,9})(?:[._-]BURST[._-]?\d{1,4}|_\d{3})(?!\d).*"
    r"|.*_BURST(?P<key2>\d{8,17}).*|(?P<key3>G(?:OPR)?\d{3})\d{4}\.\w+",
    # frames that CVAT, ffmpeg, VLC and players write
    "video": r"(?P<key>.+?(?:[._-](?:mp4|mov|avi|mkv|webm))?)[ ._-]?(?:frame|frm)[ ._-]?\d+.*"
    r"|(?P<key2>.+[._](?:mp4|mov|avi|mkv|webm))[._-]\d+\.\w+",
    # CK+ (S005_001_…), Yale (subject01.happy), chest X-rays (person1_virus_6), OCT (CNV-1016042-1)
    "person": r"(?P<key>(?:subject|subj|person|patient|participant|user)[ ._-]?\d+)(?!\d).*"
    r"|(?P<key2>S\d{3})_\d{3}_\d+\.\w+|(?P<key3>(?:CNV|DME|DRUSEN|NORMAL)-\d+)-\d+\.\w+",
}


@dataclass(frozen=True)
class Proposal:
    """One kind of names: N pictures in fewer groups."""

    kind: str
    # roboflow, burst, video or person
    group_of: dict[str, str]
    # {picture's name: group}, only groups of two and more

    @property
    def num_groups(self) -> int:
        return len(set(self.group_of.values()))


def proposals(names: Sequence[str]) -> list[Proposal]:
    """What the pictures' names tell; [] where they tell nothing."""
    found = []
    for kind, pattern in _KINDS.items():
        matcher = re.compile(pattern, re.IGNORECASE)
        keys = {name: key for name in names if (key := _key(matcher, kind, name))}
        sizes = Counter(keys.values())
        group_of = {name: key for name, key in keys.items() if sizes[key] > 1}
        if group_of:
            found.append(Proposal(kind, group_of))
    return found


def proposed(names: Sequence[str]) -> dict[str, str]:
    """{picture's name: group} of all kinds together; the first kind that knows a name speaks for it."""
    groups: dict[str, str] = {}
    for proposal in proposals(names):
        for name, key in proposal.group_of.items():
            groups.setdefault(name, f"{proposal.kind}:{key}")
    return groups


def in_force(setting: str, root: Path, names: Sequence[str]) -> dict[str, str]:
    """{picture's name: group} that a run follows.

    setting: "" = the table beside the pictures, if there is one; "names", "none", or the path of a table.
    Raises: BadGroups.
    """
    if setting == NONE:
        return {}
    if setting == NAMES:
        return proposed(names)
    return read(Path(setting).expanduser()) if setting else read(root / FILE, is_optional=True)


def read(path: Path, *, is_optional: bool = False) -> dict[str, str]:
    """A table of file and group. is_optional: none there is no mistake. Raises: BadGroups."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        if is_optional:
            return {}
        raise BadGroups(file=path, detail=error) from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadGroups(file=path, detail=error) from None
    rows = csv.DictReader(io.StringIO(text))
    if not set(COLUMNS) <= {(name or "").strip() for name in rows.fieldnames or ()}:
        raise BadGroups(file=path, detail=", ".join(COLUMNS))
    clean = ({(name or "").strip(): value for name, value in row.items()} for row in rows)
    return {composed(row["file"]): row["group"].strip() for row in clean if row["file"] and row["group"]}


def write(path: Path, groups: dict[str, str]) -> None:
    """What `read` reads. Raises: OutputUnwritable."""
    write_atomic(path, table(groups))


def table(groups: dict[str, str]) -> bytes:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(groups.items())
    return buffer.getvalue().encode("utf-8-sig")


def _key(matcher: re.Pattern[str], kind: str, name: str) -> str:
    own = PurePosixPath(name)
    found = matcher.fullmatch(own.name)
    if not found:
        # Label Studio and CVAT keep a video's frames in a folder of its name
        is_frame = kind == "video" and re.fullmatch(r"(?:frame|frm)[ ._-]?\d+\.\w+", own.name, re.IGNORECASE)
        return f"{own.parent}" if is_frame else ""
    key = next(value for value in found.groupdict().values() if value)
    # a person is one in every class, and so is a source; a burst's number counts within its folder
    return f"{own.parent}/{key}" if kind == "burst" else key
