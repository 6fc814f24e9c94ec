"""Other people's models beside ours: one port, the same pipe-years, the same splits, one table.

Each peer is a `vardag.water.lof.port.Model`. Those that need a library that the product lacks are in modules
of their own (`hazards`, `forest`, `boosters`, `regression`), which only the environment of ``make bench-peers`` can
import; `roster` puts them together.
"""
