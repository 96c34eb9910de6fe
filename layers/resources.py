"""Where the files that ship with the program lie."""

from importlib.resources import files
from pathlib import Path


def data_path(*parts: str) -> Path:
    """Path of a file below the program's ``data/`` folder.

    In a checkout that folder lies at the top; a wheel carries it inside the package.

    Examples
    --------
    >>> data_path("services.toml").name
    'services.toml'
    """
    package = Path(str(files("layers")))
    shipped = package / "_data"
    root = shipped if shipped.is_dir() else package.parent / "data"
    return root.joinpath(*parts)
