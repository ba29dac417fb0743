"""The process that downloads one file: `python -m tl_core.models.weights.hub_download REPO FILE CACHE_DIR`.

Started by `hub_fetch.fetch` with the library's settings in its environment. Prints one JSON line:
{"path": …} or {"reason": …, "detail": …}.
"""

from __future__ import annotations

import json
import os
import sys
import threading


def main() -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    repo, file, cache_dir = sys.argv[1:]
    from huggingface_hub import constants, hf_hub_download

    from tl_core.models.weights.hub import reason_of

    constants.DOWNLOAD_CHUNK_SIZE = 1 << 16  # bytes reach the disk as they come, where the parent counts them
    try:
        answer = {"path": hf_hub_download(repo, file, cache_dir=cache_dir)}
    except Exception as error:  # whatever it is, the parent says it in the person's language
        answer = dict(zip(("reason", "detail"), reason_of(error), strict=True))
    print(json.dumps(answer), flush=True)


def _end_with_parent() -> None:
    while os.read(0, 1):  # ends when the parent closes its end, by dying if need be
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
