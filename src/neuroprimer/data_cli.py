"""Commands for data: see what there is, have it made, verify it, and take it to another machine."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from neuroprimer import teaching, terminal
from neuroprimer.options import FILE, with_catalogue, with_json
from neuroprimer.teaching import datasets
from neuroprimer.teaching.bundles import read_bundle, write_bundle
from neuroprimer.teaching.model import SAMPLE

DATASETS = click.argument("dataset_ids", nargs=-1, metavar="[DATASET]...")
VARIANT = click.option(
    "--variant",
    default=SAMPLE,
    show_default=True,
    metavar="NAME",
    help="Which files: the sample needs no network, full is the real thing.",
)


@click.group()
def data() -> None:
    """See the data of the course, have them made, and take them to another machine."""


@data.command("list")
@with_catalogue
@with_json
def list_data(catalogue: teaching.Catalogue, as_json: bool) -> None:
    """List the datasets: what they are, their terms, and whether they are here."""
    chosen = _chosen(catalogue, ())
    if as_json:
        click.echo(json.dumps({"datasets": [_row_of(one) for one in chosen]}, indent=2))
        return
    terminal.print_table(
        ("dataset", "variant", "title", "kind", "licence", "MB", "here", "checksums"),
        [
            (
                one.id,
                variant.name,
                variant.title,
                "synthetic" if variant.is_synthetic else "measured",
                variant.licence,
                f"{variant.size_mb:.1f}" if variant.size_mb else "",
                datasets.state_of(one, variant.name),
                datasets.checksums_of(one, variant.name),
            )
            for one in chosen
            for variant in one.variants
        ],
    )


def _row_of(dataset: teaching.Dataset) -> dict[str, Any]:
    """Return what there is to say of a dataset, for programs."""
    sample, *_ = variants = [
        {
            "name": variant.name,
            "title": variant.title,
            "synthetic": variant.is_synthetic,
            "licence": variant.licence,
            "citation": variant.citation,
            "size_mb": variant.size_mb,
            "state": datasets.state_of(dataset, variant.name),
            "checksums": datasets.checksums_of(dataset, variant.name),
        }
        for variant in dataset.variants
    ]
    told = {key: value for key, value in sample.items() if key != "name"}
    return {"id": dataset.id, "version": dataset.version, **told, "variants": variants}


@data.command()
@DATASETS
@with_catalogue
@VARIANT
@click.option("--from", "bundle", type=FILE, help="Take the files from this bundle.")
@click.option(
    "--accept-changed",
    is_flag=True,
    help="Where files are missing or damaged, take what the publisher has now, also if it is not "
    "what was fetched first.",
)
def fetch(
    dataset_ids: tuple[str, ...],
    catalogue: teaching.Catalogue,
    variant: str,
    bundle: Path | None,
    accept_changed: bool,
) -> None:
    """Have datasets made or fetched, so that lessons find them; without names, all."""
    chosen = _chosen(catalogue, dataset_ids, variant)
    if accept_changed:
        for one in chosen:
            datasets.accept_changed(one, variant)
    if bundle is not None:
        for one in read_bundle(bundle, chosen, variant=variant, all_wanted=bool(dataset_ids)):
            click.echo(f"{_named(one, variant)}: {datasets.dataset_folder(one)}")
        return
    with terminal.watch_downloads():
        for one, files in datasets.files_of_each(catalogue, chosen, variant=variant):
            click.echo(f"{_named(one, variant)}: {len(files)} file(s) in {files[0].parent}")


@data.command()
@DATASETS
@with_catalogue
def verify(dataset_ids: tuple[str, ...], catalogue: teaching.Catalogue) -> None:
    """Read all files again and compare their digests; exit status 1 if any is damaged."""
    mending = []
    for one in _chosen(catalogue, dataset_ids):
        for variant in (variant.name for variant in one.variants):
            names = datasets.damaged_names(one, variant)
            if names is None and variant != SAMPLE:
                continue  # most do without
            click.echo(f"{_named(one, variant)}: {_verdict(one, variant, names)}")
            if names:
                mending.append(_fetch_command(one, variant))
    if mending:
        click.echo(f"Have them made or fetched anew: {', '.join(mending)}.", err=True)
        raise click.exceptions.Exit(1)


def _verdict(dataset: teaching.Dataset, variant: str, damaged: Sequence[str] | None) -> str:
    """Return in words what came of comparing the files of a dataset."""
    if damaged is None:
        return "nothing to verify"
    if damaged:
        return f"damaged: {', '.join(damaged[:5])}" + (" ..." if damaged[5:] else "")
    first = datasets.checksums_of(dataset, variant)
    return "all files are right" if variant == SAMPLE else f"all files are those {first}"


@data.command()
@click.argument("file", type=FILE)
@DATASETS
@with_catalogue
@VARIANT
def bundle(
    file: Path, dataset_ids: tuple[str, ...], catalogue: teaching.Catalogue, variant: str
) -> None:
    """Write datasets to one file, for `neuroprimer data fetch --from FILE` elsewhere."""
    chosen = _chosen(catalogue, dataset_ids, variant)
    chosen = [one for one in chosen if one.files or variant != SAMPLE]
    if not chosen:
        raise click.UsageError("Nothing to bundle: packages bring these datasets with them.")
    with terminal.watch_downloads():
        files = dict(datasets.files_of_each(catalogue, chosen, variant=variant))
    write_bundle(file, files, variant=variant)
    click.echo(f"{', '.join(_named(one, variant) for one in chosen)}: in {file}")
    for one in chosen:
        terms = datasets.require_variant(one, variant).licence
        click.echo(f"Before you pass it on, mind the terms of {one.id}: {terms}.", err=True)


def _named(dataset: teaching.Dataset, variant: str) -> str:
    return dataset.id if variant == SAMPLE else f"{dataset.id} ({variant})"


def _fetch_command(dataset: teaching.Dataset, variant: str) -> str:
    further = "" if variant == SAMPLE else f" --variant {variant}"
    return f"`neuroprimer data fetch {dataset.id}{further}`"


def _chosen(
    catalogue: teaching.Catalogue, ids: Iterable[str], variant: str = SAMPLE
) -> list[teaching.Dataset]:
    """Return the datasets of these names, or all that have the variant."""
    ids = tuple(dict.fromkeys(ids))
    if ids:
        chosen = [datasets.require_dataset(catalogue, id_) for id_ in ids]
        for one in chosen:
            datasets.require_variant(one, variant)
        return chosen
    known = catalogue.datasets.values()
    chosen = [one for one in known if variant in (each.name for each in one.variants)]
    if known and not chosen:
        raise click.UsageError(f"No dataset has a variant {variant!r}.")
    return chosen
