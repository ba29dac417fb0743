"""ONNX Runtime for browsers, out of its npm package: never part of this project, put beside an export.

The package is fetched only when asked for (`--web-runtime fetch`), once, and held against the sum that is
written here; or it is taken out of a folder (`node_modules/onnxruntime-web/dist`), or left at a public CDN.
"""

from __future__ import annotations

import base64
import hashlib
import io
import tarfile
import urllib.request
from pathlib import Path
from typing import Any

from tl_core.base.errors import WebRuntimeMissing
from tl_core.base.files import cache_folder
from tl_core.base.files.paths import cache_dir, expanded, is_file

VERSION = "1.30.0"
PACKAGE = f"https://registry.npmjs.org/onnxruntime-web/-/onnxruntime-web-{VERSION}.tgz"
SHA512 = "q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="
"""As the registry names it for this version ("integrity"); 33 MB are fetched, 14 kept."""
CDN = f"https://cdn.jsdelivr.net/npm/onnxruntime-web@{VERSION}/dist/"
MODULE, NETWORK = "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"
"""The package's smallest pair: for processors alone."""
FOLDER = "runtime"
SECONDS = 60
LICENCE = f"""onnxruntime-web {VERSION}, https://github.com/microsoft/onnxruntime

MIT License. Copyright (c) Microsoft Corporation

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without
limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of
the Software, and to permit persons to whom the Software is furnished to do so, subject to the following
conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial
portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT
LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO
EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN
AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE
OR OTHER DEALINGS IN THE SOFTWARE.
"""


def put(asked: str | None, folder: Path) -> dict[str, Any]:
    """Write the runtime into `folder`; returns what the page is told: {"module", "network", "version"}.

    asked: "fetch", "cdn", a folder that holds the two files, or None: what was fetched before.
    Raises: WebRuntimeMissing: it is not there, cannot be fetched, or is not what it should be. OSError.
    """
    if asked == "cdn":
        return {"module": CDN + MODULE, "network": CDN + NETWORK, "version": VERSION}
    found = _kept(is_fetched=asked == "fetch") if asked in (None, "fetch") else _of(expanded(str(asked)))
    own = folder / FOLDER
    own.mkdir()
    for name, content in found.items():
        (own / name).write_bytes(content)
    (own / "LICENSE.txt").write_text(LICENCE, encoding="utf-8")
    return {"module": f"{FOLDER}/{MODULE}", "network": f"{FOLDER}/{NETWORK}", "version": VERSION}


def is_kept() -> bool:
    """Whether an export needs no network."""
    return all(is_file(_place(name)) for name in (MODULE, NETWORK))


def _place(name: str) -> Path:
    return cache_dir() / "web-runtime" / VERSION / name


def _kept(*, is_fetched: bool) -> dict[str, bytes]:
    found = {name: cache_folder.read_checked(_place(name)) for name in (MODULE, NETWORK)}
    whole = {name: content for name, content in found.items() if content}
    if len(whole) == len(found):
        return whole
    if not is_fetched:
        raise WebRuntimeMissing(reason="web_not_fetched", detail=VERSION)
    fetched = _fetch()
    for name, content in fetched.items():
        cache_folder.write_checked(_place(name), content)
    return fetched


def _fetch() -> dict[str, bytes]:
    try:
        with urllib.request.urlopen(PACKAGE, timeout=SECONDS) as reply:
            content = reply.read()
    except OSError as error:
        raise WebRuntimeMissing(reason="web_unreachable", detail=error) from None
    if base64.b64encode(hashlib.sha512(content).digest()).decode() != SHA512:
        raise WebRuntimeMissing(reason="web_other_sum", detail=PACKAGE)
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        members = {name: archive.extractfile(f"package/dist/{name}") for name in (MODULE, NETWORK)}
        return {name: member.read() for name, member in members.items() if member}


def _of(folder: Path) -> dict[str, bytes]:
    """Out of a folder of the package, or of what holds its `dist`."""
    for place in (folder, folder / "dist", folder / "package" / "dist"):
        if is_file(place / MODULE) and is_file(place / NETWORK):
            return {name: (place / name).read_bytes() for name in (MODULE, NETWORK)}
    raise WebRuntimeMissing(reason="web_not_in_folder", detail=f"{folder}: {MODULE}, {NETWORK}")
