# SPDX-License-Identifier: GPL-2.0-only
"""Reads case files. cases/README describes them."""

import itertools
import os


class Case:
    def __init__(self, group, name, lines):
        self.group, self.name, self.lines = group, name, lines


def read_cases(path):
    group = os.path.basename(path).partition(".")[0]
    blocks, cases, current = {}, [], None
    for number, line in enumerate(joined_lines(path), 1):
        word, _, rest = line.partition(" ")
        if not line[0].isspace():
            if word not in ("case", "block"):
                raise SystemExit(f"{path}: neither a case nor a block: {line}")
            current = []
            if word == "block":
                blocks[rest.strip()] = current
            else:
                cases.append((rest.strip(), current))
        elif current is None:
            raise SystemExit(f"{path}: a line {number} outside a case: {line}")
        else:
            current.append(line.strip())
    for name, lines in cases:
        yield from expand(group, name, lines, blocks)


def joined_lines(path):
    """The lines that say something, those that end in a backslash joined."""
    pending = ""
    with open(path) as source:
        for line in source:
            line = line.rstrip()
            if not pending and (not line.strip() or line.lstrip().startswith("#")):
                continue
            pending += line.lstrip() if pending else line
            if pending.endswith("\\"):
                pending = pending[:-1]
                continue
            yield pending
            pending = ""


def expand(group, name, lines, blocks):
    """One case for every combination of what its 'for' lines name; the values of its
    'each' lines come one after the other in the same case."""
    lines, choices = choices_in(lines, "for ")
    lines, rounds = choices_in(lines, "each ")
    lines = list(with_blocks(lines, blocks))
    for combination in map(flat, itertools.product(*choices)):
        done = []
        for values in map(flat, itertools.product(*rounds)):
            done += [round_of(values)] if values else []
            done += [replaced(line, combination + values) for line in lines]
            done += ["forget"] if values else []
        yield Case(group, " ".join(replaced(name, combination).split()), done)


def flat(chosen):
    return tuple(itertools.chain(*chosen))


def round_of(values):
    return "round " + ", ".join(f"{name}: {value}" for name, value in values)


def choices_in(lines, word):
    """What the lines "WORD NAME: a | b" and "WORD NAME, NAME: a, b | c, d" let choose
    from, each choice a list of (name, value), and the other lines."""
    found, rest = [], []
    for line in lines:
        if line.startswith(word):
            variables, _, values = line[len(word):].partition(":")
            names = [name.strip() for name in variables.split(",")]
            found.append([values_of(names, choice) for choice in values.split("|")])
        else:
            rest.append(line)
    return rest, found


def values_of(names, choice):
    """The last name's value may have commas in it."""
    values = [value.strip() for value in choice.split(",", len(names) - 1)]
    if len(values) != len(names):
        raise SystemExit(f"{', '.join(names)}: not as many values: {choice}")
    return list(zip(names, values))


def with_blocks(lines, blocks):
    for line in lines:
        if line.startswith("use "):
            yield from with_blocks(blocks[line[4:].strip()], blocks)
        else:
            yield line


def replaced(text, combination):
    for variable, value in reversed(combination):   # a value may name an earlier one
        text = text.replace("{" + variable + "}", value)
    return text
