"""`vardag water presets`: the ready-made mappings, as a list or one at a time."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from vardag.app.show import machine, person
from vardag.app.words import words
from vardag.core.config import settings

if TYPE_CHECKING:
    from vardag.water.commands.presets import Preset


def presets(
    name: Annotated[str | None, typer.Argument(help=words("presets_arg_name"))] = None,
    as_json: Annotated[bool, typer.Option("--json", help=words("opt_json"))] = False,
) -> None:
    """List the ready-made mappings, or show one."""
    from vardag.water.commands import presets as command

    language = settings().language
    if name is None:
        _list(command.presets(language=language), as_json=as_json)
    else:
        _one(command.one_preset(name, language=language), as_json=as_json)


def _list(found: "list[Preset]", *, as_json: bool) -> None:
    if as_json:
        return machine([asdict(preset) for preset in found])
    out = person()
    for preset in found:
        licence = preset.licence or words("presets_own_licence")
        out.print(f"[bold]{preset.name}[/]  {preset.table}  ({licence})\n  {preset.about}", markup=True)
        out.print(f"  {preset.basis}\n", style="dim", markup=False)
    return out.print(words("presets_how"), markup=False)


def _one(preset: "Preset", *, as_json: bool) -> None:
    if as_json:
        return machine(asdict(preset))
    remarks = "\n".join(f"# {line}".rstrip() for line in preset.text.splitlines())
    return print(f"# {preset.about}\n{preset.lines}\n\n# {words('presets_fills_in')}\n{remarks}")
