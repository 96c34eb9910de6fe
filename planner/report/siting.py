"""A siting as files: a scenario, a GeoPackage, tables."""

from __future__ import annotations

import json
import os
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyogrio

from layers.errors import InputError
from layers.messages import text
from layers.saving import save_text

if TYPE_CHECKING:
    from layers.units import Level
    from planner.siting.siting import Siting


def save_siting(result: Siting, folder: Path, *, level: Level = "district") -> list[Path]:
    """Save a siting, each file whole or not at all.

    Parameters
    ----------
    result
        The siting.
    folder
        Where to; other files there stay.
    level
        Units of the table of rates.

    Returns
    -------
    The files: ``scenario.json``, ``sites.gpkg`` (layers ``sites``, ``served``, ``lines``,
    ``unreached`` and the table ``about``), ``sites.csv`` and ``rates.csv`` (UTF-8 with the
    mark that Excel looks for).

    Raises
    ------
    InputError
        The disk refuses.
    """
    files = [folder / name for name in ("scenario.json", "sites.gpkg", "sites.csv", "rates.csv")]
    scenario = json.dumps(result.scenario().as_dict(), ensure_ascii=False, indent=1)
    save_text(files[0], scenario + "\n")
    _save_layers(result, files[1])
    mark = labels(result)
    sites = pd.DataFrame(result.sites.drop(columns="geometry")).assign(data=mark)
    save_text(files[2], "\ufeff" + sites.to_csv(index=False))
    save_text(files[3], "\ufeff" + rates(result, level).assign(data=mark).to_csv(index=False))
    return files


def rates(result: Siting, level: Level) -> pd.DataFrame:
    """Rates of units before and after, and who is left: `Siting.by` and `unreached` in one."""
    left = result.unreached(level)[["code", "reachable", "beyond"]]
    return result.by(level).merge(left, on="code", how="left")


def labels(result: Siting) -> str:
    """Say what must stand on everything made from the city, in both languages."""
    told = [
        f"{text(f'label.{label}', 'zh')} / {text(f'label.{label}', 'en')}"
        for label in result.setting.city.labels()
    ]
    return "; ".join(told)


def about(result: Siting) -> pd.DataFrame:
    """Tell what the layers are and what they were made of, as names and values."""
    setting = result.setting
    words: dict[str, Any] = {
        "service": setting.service.key,
        "problem": repr(result.problem),
        "standard": f"{setting.standard.words('zh')} / {setting.standard.words('en')}",
        "standard_source": setting.standard.source,
        "group": setting.standard.group,
        "city": f"{setting.city.name} / {setting.city.name_en}",
        "data": labels(result),
        "status": result.status,
        "measure": result.measure,
        "objective": result.objective,
        "bound": result.bound,
        "gap": result.gap,
        "words": " ".join(result.words("zh")),
        "words_en": " ".join(result.words("en")),
        "program": f"coverage-planner {version('coverage-planner')}",
    }
    for layer, origin in setting.city.origins().items():
        words[f"layer_{layer}"] = json.dumps(origin, ensure_ascii=False)
    return pd.DataFrame({"name": list(words), "value": [str(one) for one in words.values()]})


def _save_layers(result: Siting, path: Path) -> None:
    scratch = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, scratch = tempfile.mkstemp(prefix=".sites.", suffix=".gpkg", dir=path.parent)
        os.close(handle)
        Path(scratch).unlink()
        kinds = {"sites": "Point", "served": "Point", "lines": "LineString", "unreached": "Point"}
        for name, layer in result.layers().items():
            plain = layer.copy()
            for column in plain.columns.drop(plain.geometry.name):
                # GDAL knows no column of whole numbers some of which are missing.
                if str(plain[column].dtype) == "Int64":
                    plain[column] = plain[column].astype("float64")
            pyogrio.write_dataframe(
                plain, scratch, layer=name, driver="GPKG", geometry_type=kinds[name], append=False
            )
        pyogrio.write_dataframe(about(result), scratch, layer="about", driver="GPKG")
        mask = os.umask(0)
        os.umask(mask)
        Path(scratch).chmod(0o666 & ~mask)
        Path(scratch).replace(path)
    except (OSError, pyogrio.errors.DataSourceError) as wrong:
        reason = getattr(wrong, "strerror", None) or str(wrong)
        raise InputError(text("error.file_not_written", path=str(path), reason=reason)) from wrong
    finally:
        if scratch is not None:
            Path(scratch).unlink(missing_ok=True)
