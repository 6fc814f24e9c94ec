"""What the robot's commands print: text and tables for people, JSON for machines."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from vardag.app.show import machine, person
from vardag.app.words import words
from vardag.core.config import settings
from vardag.invoices.commands.check import Finding
from vardag.invoices.commands.look import Proof, Report, Shown, Status
from vardag.invoices.model import Action, Decision
from vardag.invoices.reading import DOUBTS
from vardag.invoices.robot import Tally
from vardag.invoices.robot.desk import DECISION
from vardag.invoices.rules import CATALOGUE, Explained, Rule, explain
from vardag.invoices.workitems import Item, State

HEAD = 16  # signs of a hash that are shown


@dataclass(frozen=True)
class DemoRun:
    """What the demo shows."""

    report: Report
    status: Status
    proof: Proof
    mails: int
    seconds: float


def written(paths: Sequence[Path], *, as_json: bool) -> None:
    """Say what was written and what to do next."""
    if as_json:
        return machine({"written": paths})
    return person().print(words("robot_written", folder=paths[0].parent), markup=False)


def checked(problems: Sequence[Finding], *, as_json: bool) -> None:
    """List what is missing."""
    if as_json:
        return machine([asdict(problem) for problem in problems])
    for problem in problems:
        person().print(f"[bold red]✗[/] {escape(problem.where)}: {escape(problem.says)}")
    if not problems:
        person().print(f"[green]✓[/] {words('robot_ready')}")
    return None


def ran(tally: Tally, *, as_json: bool) -> None:
    """Say what a round did."""
    if as_json:
        return machine(asdict(tally))
    person().print(words("robot_ran", taken_in=tally.taken_in, worked=tally.worked), markup=False)
    if tally.held_back:
        person().print(words("robot_held_back", why=tally.held_back), markup=False)
    return None


def status(found: Status, *, rules: Mapping[str, Rule], as_json: bool) -> None:
    """How it goes."""
    if as_json:
        return machine(asdict(found))
    out = person()
    if found.paused:
        out.print(f"[bold red]{words('paused_by', by=found.paused['by'], why=found.paused['why'])}[/]")
    table = Table(words("col_state"), words("col_items"), box=None)
    for state, count in found.counts.items():
        table.add_row(words(f"state_{state}"), str(count))
    out.print(table)
    out.print(words("cancelled_today", count=found.cancelled_today, amount=found.amount_today), markup=False)
    for one in (*found.waiting, *found.dead):
        out.print(f"  {one.id}  {one.target or '–'}  {reason(one, rules)}", markup=False)
    return None


def item(found: Shown, *, rules: Mapping[str, Rule], as_json: bool) -> None:
    """One work item: how it stands, what was read, what was decided and what was done."""
    if as_json:
        entries = [vars(entry) for entry in found.entries]
        return machine({"item": asdict(found.item), "read": found.read, "log": entries})
    out = person()
    out.print(words("item_is", number=found.item.id, state=words(f"state_{found.item.state}")), style="bold")
    if found.item.told:
        out.print(found.item.told, markup=False)
    if found.read is None:
        out.print(words("mail_deleted"))
    else:
        sender = found.read["sender"]["address"]
        out.print(words("mail_from", sender=sender, subject=found.read["subject"]), markup=False)
        _read_marks(found.read["requests"][found.item.place : found.item.place + 1])
    if found.item.decision:
        _decided(DECISION.validate_python(found.item.decision), rules)
    for entry in found.entries:
        told = {name: value for name, value in entry.body.items() if name not in {"actor", "robot", "mode"}}
        text = json.dumps(told, ensure_ascii=False)
        out.print(f"{entry.at[:19]}  {entry.event:<20} {entry.body['actor']}  {text}", markup=False)
    return None


def _read_marks(requests: Iterable[dict[str, Any]]) -> None:
    """What was read, where, and how sure."""
    table = Table(words("col_field"), words("col_value"), words("col_where"), words("col_sure"), box=None)
    for request in requests:
        read = {**request, **request.get("fields", {})}
        for name, found in read.items():
            if name != "fields" and isinstance(found, dict):
                table.add_row(name, escape(found["value"]), escape(found["where"]), f"{found['sure']:.2f}")
        for code in request["doubts"]:
            table.add_row(words("col_doubts"), doubt(code))
    if table.row_count:
        person().print(table)


def _decided(decision: Decision, rules: Mapping[str, Rule]) -> None:
    """The decision's reasons in words."""
    person().print(f"{words(f'action_{decision.action}')} ({decision.version})", style="bold")
    for one in explain(decision, settings().language, rules):
        person().print(f"  {one.code}: {_says(decision, one)}", markup=False)


def report(found: Report, *, as_json: bool) -> None:
    """The account of hours, the reasons and the head of the log."""
    if as_json:
        return machine(asdict(found) | {"saved_hours": found.account.saved_hours})
    out = person()
    out.print(_hours(found))
    out.print(words("hours_saved", hours=f"{found.account.saved_hours:.1f}"), style="bold")
    if not found.account.measured:
        out.print(words("hours_assumed"), markup=False)
    out.print(_reasons(found.codes))
    if found.answer_minutes is not None:
        out.print(words("answer_time", minutes=f"{found.answer_minutes:.1f}"), markup=False)
    out.print(words("log_head", entries=found.entries, head=found.head), markup=False)
    return None


def _hours(found: Report) -> Table:
    table = Table(
        words("col_outcome"), words("col_items"), words("col_before"), words("col_after"), words("col_hours")
    )
    for line in found.account.lines:
        if line.items:
            minutes = f"{line.baseline_minutes:g}", f"{line.residual_minutes:g}"
            table.add_row(words(f"outcome_{line.outcome}"), str(line.items), *minutes, f"{line.saved_hours:.1f}")
    return table


def _reasons(codes: dict[str, int]) -> Table:
    """Why: each rule that settled a decision, how often, and what it says."""
    table = Table(words("col_rule"), words("col_items"), words("col_says"), box=None)
    for code, count in codes.items():
        table.add_row(code, str(count), CATALOGUE[code].when() if code in CATALOGUE else "")
    return table


def proof(found: Proof, *, as_json: bool) -> None:
    """Say whether the log holds."""
    if as_json:
        return machine(asdict(found) | {"holds": found.holds})
    if found.holds:
        return person().print(words("log_holds", entries=found.entries, head=found.head), markup=False)
    for one in found.broken:
        person().print(words("log_broken", seq=one.seq, why=one.why), markup=False)
    return None


def demo(run: DemoRun, folder: Path, *, as_json: bool) -> None:
    """What the robot did in the demo, what it left to people and why, and the hours saved."""
    counts, lines = run.status.counts, {line.outcome: line.items for line in run.report.account.lines}
    facts: dict[str, Any] = {
        "mails": run.mails,
        "items": sum(counts.values()),
        "seconds": round(run.seconds, 1),
        "cancelled": lines["cancelled_alone"],
        "amount": run.status.amount_today,
        "rejected": counts[State.FAILED_BUSINESS],
        "waiting": counts[State.WAITING],
        "ignored": lines["ignored"],
        "failed": counts[State.DEAD] + counts[State.FAILED_APPLICATION],
        "hours": round(run.report.account.saved_hours, 1),
        "entries": run.proof.entries,
        "holds": run.proof.holds,
        "folder": folder,
    }
    if as_json:
        return machine(facts | {"codes": run.report.codes})
    out = person()
    out.print(words("invoices_demo_done", **facts), markup=False)
    out.print(_left_to_people(run.status.waiting))
    return out.print(words("invoices_demo_next", folder=folder / "robot", head=run.proof.head[:HEAD]), markup=False)


def _left_to_people(items: Iterable[Item]) -> Table:
    found = Counter(reason(one) for one in items)
    table = Table(words("col_left"), words("col_items"), box=None)
    for why, count in found.most_common():
        table.add_row(escape(why), str(count))
    return table


def reason(one: Item, rules: Mapping[str, Rule] = CATALOGUE) -> str:
    """Why an item waits, in words."""
    if one.decision is None:
        return one.told or ""
    decision = DECISION.validate_python(one.decision)
    if decision.action is Action.CANCEL:
        return one.told or ""
    return _says(decision, explain(decision, settings().language, rules)[0])


def _says(decision: Decision, one: Explained) -> str:
    """What a reason says; doubts about the mail in words."""
    if one.code != "unclear":
        return one.says
    return " ".join(doubt(code.strip()) for code in str(decision.facts["doubts"]).split(","))


def doubt(code: str) -> str:
    """A doubt about a mail, in words."""
    return DOUBTS(code, settings().language) if DOUBTS.has(code) else code


def staying(url: str, imap_port: int, folder: Path) -> None:
    """Say where the servers are."""
    person().print(words("invoices_demo_stays", url=url, imap=imap_port, folder=folder), markup=False)
