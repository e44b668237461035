"""Commands for data: see what there is, have it made, verify it, and take it to another machine."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import click

from neuroprimer import teaching, terminal
from neuroprimer.options import FILE, with_catalogue, with_json
from neuroprimer.teaching import datasets
from neuroprimer.teaching.bundles import read_bundle, write_bundle

DATASETS = click.argument("dataset_ids", nargs=-1, metavar="[DATASET]...")


@click.group()
def data() -> None:
    """See the data of the course, have them made, and take them to another machine."""


@data.command("list")
@with_catalogue
@with_json
def list_data(catalogue: teaching.Catalogue, as_json: bool) -> None:
    """List the datasets: what they are, their terms, and whether they are here."""
    states = [(one, datasets.state_of(one)) for one in _chosen(catalogue, ())]
    if as_json:
        rows = [
            {
                "id": one.id,
                "title": one.title,
                "synthetic": one.is_synthetic,
                "licence": one.licence,
                "citation": one.citation,
                "version": one.version,
                "variants": list(one.variants),
                "size_mb": one.size_mb,
                "state": state,
            }
            for one, state in states
        ]
        click.echo(json.dumps({"datasets": rows}, indent=2))
        return
    terminal.print_table(
        ("dataset", "title", "kind", "licence", "MB", "here"),
        [
            (
                one.id,
                one.title,
                "synthetic" if one.is_synthetic else "measured",
                one.licence,
                f"{one.size_mb:.1f}" if one.size_mb else "",
                state,
            )
            for one, state in states
        ],
    )


@data.command()
@DATASETS
@with_catalogue
@click.option("--from", "bundle", type=FILE, help="Take the files from this bundle.")
def fetch(dataset_ids: tuple[str, ...], catalogue: teaching.Catalogue, bundle: Path | None) -> None:
    """Have datasets made or fetched, so that lessons find them; without names, all."""
    chosen = _chosen(catalogue, dataset_ids)
    if bundle is not None:
        for one in read_bundle(bundle, chosen, all_wanted=bool(dataset_ids)):
            click.echo(f"{one.id}: {datasets.dataset_folder(one)}")
        return
    for one in chosen:
        files = teaching.dataset_files(catalogue, one)
        click.echo(f"{one.id}: {len(files)} file(s) in {files[0].parent}")


@data.command()
@DATASETS
@with_catalogue
def verify(dataset_ids: tuple[str, ...], catalogue: teaching.Catalogue) -> None:
    """Read all files again and compare their digests; exit status 1 if any is damaged."""
    damaged = 0
    for one in _chosen(catalogue, dataset_ids):
        names = datasets.damaged_names(one)
        if names is None:
            click.echo(f"{one.id}: nothing to verify")
            continue
        damaged += bool(names)
        words = ", ".join(names[:5]) + (" ..." if len(names) > 5 else "")
        click.echo(f"{one.id}: " + (f"damaged: {words}" if names else "all files are right"))
    if damaged:
        click.echo("`neuroprimer data fetch` makes damaged datasets anew.", err=True)
        raise click.exceptions.Exit(1)


@data.command()
@click.argument("file", type=FILE)
@DATASETS
@with_catalogue
def bundle(file: Path, dataset_ids: tuple[str, ...], catalogue: teaching.Catalogue) -> None:
    """Write datasets to one file, for `neuroprimer data fetch --from FILE` elsewhere."""
    chosen = [one for one in _chosen(catalogue, dataset_ids) if one.files]
    if not chosen:
        raise click.UsageError("Nothing to bundle: packages bring these datasets with them.")
    write_bundle(file, {one: teaching.dataset_files(catalogue, one) for one in chosen})
    click.echo(f"{', '.join(one.id for one in chosen)}: in {file}")


def _chosen(catalogue: teaching.Catalogue, ids: Iterable[str]) -> list[teaching.Dataset]:
    """Return the datasets of these names, or all."""
    ids = tuple(dict.fromkeys(ids))
    if not ids:
        return list(catalogue.datasets.values())
    return [datasets.require_dataset(catalogue, id_) for id_ in ids]
