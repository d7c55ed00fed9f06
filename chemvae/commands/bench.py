"""chemvae bench."""

from __future__ import annotations

from typing import Annotated

import typer

from chemvae.commands.shared import console
from chemvae.commands.shared.options import RUNNING, Device, Json, MaybeData, Model, Seed, command
from chemvae.commands.shared.settings_fields import choices

_COLUMNS = ("name", "figure", "unit", "ratio")


@command
def bench(
    data: MaybeData = None,
    model: Model = None,
    json: Json = None,
    preset: Annotated[
        str, typer.Option(metavar=choices("training/settings.py", "PRESETS"), help="Whose architecture is trained.")
    ] = "cpu",
    quick: Annotated[bool, typer.Option("--quick", metavar="", help="A minute; the figures scatter more.")] = False,
    growth: Annotated[
        bool, typer.Option("--growth", metavar="", help="Also how cost grows with molecules, length, batch and width.")
    ] = False,
    compile: Annotated[
        bool, typer.Option("--compile", metavar="", help="Also one GRU step under torch.compile (half a minute).")
    ] = False,
    threads: Annotated[int, typer.Option(metavar="N", help="CPU threads; 0: torch's choice.", rich_help_panel=RUNNING)] = 0,
    seed: Seed = 0,
    device: Device = "auto",
) -> None:
    """Measure training, encoding, decoding and sampling beside this machine's peak, torch.nn.GRU and a MOSES-shaped VAE.

    Under ten minutes on two cores, best with nothing else running. DATA is zinc250k where a copy is at hand, else
    virtual-drugs; nothing is downloaded. MODEL decodes and samples: the shipped drug, or one trained for 90 s.
    """
    from chemvae.bench import BenchSettings, run_bench

    settings = BenchSettings(
        data=data, model=model, preset=preset, device=device, threads=threads, seed=seed, growth=growth, compile=compile
    )
    with console.working("Measuring"):
        figures = run_bench(settings.quick() if quick else settings)
    console.write_json(json, figures)
    show(figures)


def show(figures: dict) -> None:
    """Print the figures: grouped and aligned, ratios to the right, under each line how it was taken."""
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    from chemvae.bench import report

    found = report.groups(figures)
    wide = [max(len(getattr(line, part)) for group in found for line in group.lines) for part in _COLUMNS]
    shown: list[Text | Padding] = [Text(report.headline(figures), style="dim")]
    for group in found:
        shown += [Text(), Text(group.title, style="bold")]
        for line in group.lines:
            row = Text(f"{line.name:<{wide[0]}}  {line.figure:>{wide[1]}} ", no_wrap=True, overflow="ignore")
            row.append(f"{line.unit:<{wide[2]}}", style="dim").append(f"  {line.ratio:>{wide[3]}}", style="green")
            shown += [row, Padding(Text(line.words, style="dim"), (0, 0, 0, 4))] if line.words else [row]
    console.show(Group(*shown))
    console.say(f"Measured in {console.duration(figures['elapsed_s'])}.")
