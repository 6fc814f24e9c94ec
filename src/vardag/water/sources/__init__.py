"""Readers: from a city's files to the tables, with every row accounted for.

A file is read in chunks of raw text (`csv_file`, `vector_file`), looked through once for its date and number
notations (`survey`), mapped to the columns of its table (`mapping`) and written in one transaction (`store`).
"""
