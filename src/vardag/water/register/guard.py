"""A delivery that lost much of the register is a truncated file until somebody says otherwise."""

from vardag.core.errors import RefusedError, first_ids
from vardag.core.parameters import Parameters
from vardag.water.register.difference import Difference


def allowed_to_leave(pipes: int, *, parameters: Parameters) -> float:
    """Pipes that may leave in one delivery: a share of them, in a small register a few."""
    share, few = parameters.value("register_shrink_share"), parameters.value("register_shrink_few")
    return float(max(share * pipes, few))


def shrinks_too_much(found: Difference, *, parameters: Parameters) -> bool:
    """Tell whether more pipes left than a register loses in ordinary life."""
    return found.missing > allowed_to_leave(found.compared, parameters=parameters)


def refuse_shrinking(found: Difference, *, where: str, folder: object, parameters: Parameters) -> None:
    """Refuse a delivery that would retire an unlikely share of the register.

    Raises
    ------
    RefusedError
        When more pipes left than `allowed_to_leave` (cure: deliver the whole register, or accept it explicitly).
    """
    if not shrinks_too_much(found, parameters=parameters):
        return
    most = int(allowed_to_leave(found.compared, parameters=parameters))
    raise RefusedError(
        f"{where}: {found.missing:,} of {found.compared:,} pipes would leave the register "
        f"({found.count('gone'):,} gone, {found.count('reused'):,} whose id means another pipe, "
        f"{found.count('unreadable'):,} in rows that cannot be used; {first_ids(found.left['pipe_id'])}), expected "
        f"at most {most:,}. The earlier delivery stays in force. "
        "Is the file cut short, filtered, or numbered anew? See the difference: "
        f"vardag water diff {folder} --with FILE. If it is right: vardag water load {folder} --accept-shrinking."
    )
