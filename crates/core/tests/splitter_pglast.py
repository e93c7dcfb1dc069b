"""Splits SQL files with PostgreSQL's own parser, for splitter_against_postgres.rs.

Reads file names on stdin, one a line. Prints for each a line of statements and a line of tokens, as
byte ranges `start:end` without comments, or a line with the parser's error.
"""

import bisect
import itertools
import sys

from pglast.parser import ParseError, scan, split


def ranges(pairs):
    return " ".join(f"{start}:{end}" for start, end in pairs)


def describe(name):
    with open(name, "rb") as file:
        raw = file.read()
    text = raw.decode("utf-8-sig")
    mark = len(raw) - len(text.encode())
    # pglast counts characters; the byte at which each begins.
    offsets = list(itertools.accumulate((len(character.encode()) for character in text), initial=mark))
    tokens = [token for token in scan(text) if token.name not in ("SQL_COMMENT", "C_COMMENT")]
    starts = [token.start for token in tokens]
    statements = []
    for piece in split(text, with_parser=True, only_slices=True) if tokens else ():
        first = tokens[bisect.bisect_left(starts, piece.start)]
        last = tokens[bisect.bisect_left(starts, piece.stop) - 1]
        statements.append((offsets[first.start], offsets[last.end + 1]))
    print("statements", ranges(statements))
    print("tokens", ranges((offsets[token.start], offsets[token.end + 1]) for token in tokens))


for line in sys.stdin:
    try:
        describe(line.rstrip("\n"))
    except ParseError as error:
        print("error", str(error).replace("\n", " "))
