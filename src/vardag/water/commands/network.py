"""From the delivered tables to the network with its history: link, rebuild, join."""

from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from vardag.core import db
from vardag.water.commands.workspace import Tables, Workspace, read_table
from vardag.water.life import lives, rebuilt_links, survivorship
from vardag.water.linking import Judgement, judge
from vardag.water.lof.port import POLICY
from vardag.water.panel import Network, build_network
from vardag.water.winters import winter_days


@dataclass(frozen=True)
class History:
    """The network, how each break was linked, and how much of the log that makes usable."""

    network: Network
    links: pl.DataFrame
    survivorship: dict[str, Any]


def build_history(work: Workspace, tables: Tables) -> History:
    """Link breaks, rebuild replaced pipes and join everything into a network."""
    run = work.run
    with run.step("link") as step:
        judgement = judge_breaks(work, tables)
        links = judgement.links
        step.rows(rows_in=tables.breaks.height, rows_out=links["pipe_key"].drop_nulls().len())
    with run.step("life") as step:
        table = lives(tables.pipes, tables.breaks, links, record_start=tables.record_start, parameters=POLICY)
        report = survivorship(tables.breaks, links, table)
        step.rows(rows_in=tables.pipes.height, rows_out=table.height)
    with run.step("network"):
        network = build_network(
            lives=table,
            breaks=tables.breaks,
            links=links,
            roads=tables.roads,
            soil=tables.soil,
            zones=tables.zones,
            winters=winter_days(tables.weather, parameters=POLICY),
            heights=tables.heights,
            readings=tables.readings,
            parameters=POLICY,
            record_start=tables.record_start,
            record_end=tables.record_end,
        )
    with run.step("store"), db.transaction(work.connection):
        store_judgement(work, judgement)
        db.replace(work.connection, "life", table)
    return History(network, links, report)


def judge_breaks(work: Workspace, tables: Tables) -> Judgement:
    """Link breaks, as a person settled them where one did; those of replaced pipes to their rebuilt lives."""
    settlements = read_table(work.connection, "settlement")
    judgement = judge(tables.pipes, tables.breaks, parameters=POLICY, settlements=settlements)
    links = rebuilt_links(tables.pipes, tables.breaks, judgement.links, parameters=POLICY)
    return replace(judgement, links=links)


def store_judgement(work: Workspace, judgement: Judgement) -> None:
    """Write the links, the queue and the quality over the last ones; run it inside a transaction."""
    db.replace(work.connection, "link", judgement.links)
    db.replace(work.connection, "link_candidate", judgement.candidates)
    db.replace(work.connection, "link_quality", judgement.quality)
