"""A loader of botocore's own data that keeps few models, and shares those with all of its kind.

The models that reading keeps and those of the clients that rebuild are the same data. What clients
change in them (they take the bucket out of the paths of S3) `services` changes in the same way.
Their documentation, which nobody reads here, is left out: it is half of their memory.

Apart from `services`, since botocore takes a tenth of a second to import.
"""

from __future__ import annotations

import gzip
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from botocore.loaders import JSONFileLoader, Loader

from sandbox.gateway.kept import SERVICES_KEPT

_FILES_KEPT = 2 * SERVICES_KEPT
"""Of each service its model and its endpoint rules; its client asks for nothing else."""

_KEPT_BY_BOTOCORE = ("load_service_model", "load_data_with_path")


class FewModels(Loader):  # type: ignore[misc]  # botocore has no types
    """See above; threads may share one."""

    def __init__(self) -> None:
        super().__init__(
            extra_search_paths=[self.BUILTIN_DATA_PATH], include_default_search_paths=False
        )

    def load_service_model(
        self, service_name: str, type_name: str, api_version: str | None = None
    ) -> Any:
        """Return a file of a service, as data that is shared."""
        return _file(service_name, type_name, api_version)


@lru_cache(maxsize=1)
def partitions() -> Any:
    """Return botocore's table of partitions, for its endpoint rules."""
    return _loader().load_data("partitions")


def read_file(service: str, kind: str, version: str | None = None) -> Any:
    """Return a file of a service, read anew; raises botocore's UnknownServiceError."""
    return _loader().read_once(service, kind, version)


@lru_cache(maxsize=_FILES_KEPT)
def _file(service: str, kind: str, version: str | None) -> Any:
    return read_file(service, kind, version)


@lru_cache(maxsize=1)
def _loader() -> _Forgetful:
    loader = _Forgetful(
        extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False
    )
    loader.file_loader = _Wordless()
    return loader


class _Forgetful(Loader):  # type: ignore[misc]  # botocore has no types
    """Remembers where files are, and none of what is in them: botocore's own keeps every model."""

    def read_once(self, service: str, kind: str, version: str | None) -> Any:
        """Return a file of a service."""
        found = self.load_service_model(service, kind, version)
        for key in [key for key in list(self._cache) if key[0] in _KEPT_BY_BOTOCORE]:
            self._cache.pop(key, None)  # by whichever thread is first
        return found


class _Wordless(JSONFileLoader):  # type: ignore[misc]  # botocore has no types
    """Reads a file of botocore's data without its documentation."""

    def load_file(self, file_path: str) -> Any:
        """Return a file by its path without ending, None when there is none."""
        for ending, read in ((".json", Path.read_bytes), (".json.gz", _unzipped)):
            path = Path(file_path + ending)
            if path.is_file():
                return json.loads(read(path), object_pairs_hook=_Objects())
        return None


def _unzipped(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes())


class _Objects:
    """Makes the objects of one file: without documentation, and with each other text once."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def __call__(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        return {name: self._kept(name, value) for name, value in pairs}

    def _kept(self, name: str, value: Any) -> Any:
        if type(value) is not str:
            return value  # also of a structure's member that is called so
        return "" if name == "documentation" else self._texts.setdefault(value, value)
