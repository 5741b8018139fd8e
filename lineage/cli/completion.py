"""``lineage completion``: a script for a shell, with all commands, options and choices in it.

The script is static: to complete a word, nothing of ours is started.
"""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Callable, Iterator
from typing import NamedTuple, cast

from lineage.cli.output import write_lines

__all__ = ["add_arguments", "run"]

_DESCRIPTION = """\
Write the script that completes commands and options in a shell.

  lineage completion bash > ~/.local/share/bash-completion/completions/lineage
  lineage completion zsh > ~/.zfunc/_lineage          with ~/.zfunc in fpath, before compinit
  lineage completion fish > ~/.config/fish/completions/lineage.fish

The script is static and starts nothing. Write it anew after an update.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.description = _DESCRIPTION
    parser.add_argument("shell", choices=sorted(_SCRIPTS))


def run(arguments: argparse.Namespace) -> int:
    """Write the script."""
    write_lines([_SCRIPTS[arguments.shell](list(_commands()))])
    return 0


class _Option(NamedTuple):
    names: list[str]
    summary: str
    takes_value: bool
    choices: list[str]


class _Command(NamedTuple):
    name: str
    summary: str
    options: list[_Option]
    words: list[str]
    """What may stand alone: the choices of its arguments."""


def _commands() -> Iterator[_Command]:
    from lineage.cli.main import COMMANDS, parser_of

    actions = parser_of(COMMANDS)._actions  # argparse tells it nowhere else
    [choices] = [each.choices for each in actions if each.dest == "command"]
    commands = cast("dict[str, argparse.ArgumentParser]", choices)
    for name, parser in commands.items():
        options: list[_Option] = []
        words: list[str] = []
        for action in parser._actions:  # as above
            choices = [str(each) for each in action.choices or ()]
            if not action.option_strings:
                words.extend(choices)
            elif action.help != argparse.SUPPRESS:
                takes_value = action.nargs != 0
                options.append(_Option(list(action.option_strings), _one_line(action.help), takes_value, choices))
        yield _Command(name, COMMANDS[name][1], options, words)


def _one_line(text: str | None) -> str:
    return re.sub(r"\s+", " ", (text or "").replace("%%", "%"))


def _words(command: _Command) -> str:
    return " ".join([*(name for option in command.options for name in option.names), *command.words])


def _bash(commands: list[_Command]) -> str:
    values = [
        f"        {command.name}:{name}) words={shlex.quote(' '.join(option.choices))} ;;"
        for command in commands
        for option in command.options
        if option.choices
        for name in option.names
    ]
    valued = sorted(
        {name for command in commands for option in command.options if option.takes_value for name in option.names}
    )
    lines = "\n".join(f"        {each.name}) words={shlex.quote(_words(each))} ;;" for each in commands)
    return f"""\
# bash completion of lineage; written by: lineage completion bash
_lineage() {{
    local current="${{COMP_WORDS[COMP_CWORD]}}" previous="${{COMP_WORDS[COMP_CWORD-1]}}" command= words= index
    COMPREPLY=()
    for ((index = 1; index < COMP_CWORD; index++)); do
        case "${{COMP_WORDS[index]}}" in
        --store) ((index++)) ;;
        -*) ;;
        *) command="${{COMP_WORDS[index]}}"; break ;;
        esac
    done
    case "$command:$previous" in
{chr(10).join(values)}
        *)
            case " {" ".join(valued)} " in
            *" $previous "*) return ;;  # a value: files
            esac
            case "$command" in
        "") words={shlex.quote(" ".join(["--help", "--store", "--version", *(each.name for each in commands)]))} ;;
{lines}
            esac ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "$current"))
}}
complete -o default -F _lineage lineage"""


def _zsh(commands: list[_Command]) -> str:
    def described(names: list[str], summary: str) -> str:
        return "\n".join(f"        {shlex.quote(_colon(name) + ':' + summary)}" for name in names)

    tops = "\n".join(described([each.name], each.summary) for each in commands)
    options = "\n".join(
        f"    {each.name}) offers=(\n"
        + "\n".join(described(option.names, option.summary) for option in each.options)
        + "".join("\n" + described([word], "") for word in each.words)
        + "\n    ) ;;"
        for each in commands
    )
    values = "\n".join(
        f"    {command.name}:({'|'.join(option.names)})) compadd -- {shlex.join(option.choices)}; return ;;"
        for command in commands
        for option in command.options
        if option.choices
    )
    valued = "|".join(
        sorted(
            {name for command in commands for option in command.options if option.takes_value for name in option.names}
        )
    )
    return f"""\
#compdef lineage
# zsh completion of lineage; written by: lineage completion zsh
_lineage() {{
    local -a offers
    local command= previous="${{words[CURRENT-1]}}" index
    for ((index = 2; index < CURRENT; index++)); do
        case "${{words[index]}}" in
        --store) ((index++)) ;;
        -*) ;;
        *) command="${{words[index]}}"; break ;;
        esac
    done
    case "$command:$previous" in
{values}
    *:({valued})) _files; return ;;
    esac
    case "$command" in
    "") offers=(
{tops}
        '--help' '--store:the store: a URL or a path' '--version'
    ) ;;
{options}
    esac
    _describe lineage offers
    [[ -n "$command" ]] && _files
}}
if [[ "$funcstack[1]" == _lineage ]]; then _lineage "$@"; else compdef _lineage lineage; fi"""


def _colon(text: str) -> str:
    return text.replace(":", r"\:")


def _fish(commands: list[_Command]) -> str:
    lines = [
        "# fish completion of lineage; written by: lineage completion fish",
        "complete -c lineage -n __fish_use_subcommand -l store -r -d 'the store: a URL or a path'",
        "complete -c lineage -n __fish_use_subcommand -l version -d 'show the version and exit'",
    ]
    for command in commands:
        lines.append(
            f"complete -c lineage -n __fish_use_subcommand -f -a {command.name} -d {_fish_quoted(command.summary)}"
        )
        seen = f"-n '__fish_seen_subcommand_from {command.name}'"
        for option in command.options:
            names = " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names)
            value = (
                f" -x -a {_fish_quoted(' '.join(option.choices))}"
                if option.choices
                else " -r"
                if option.takes_value
                else ""
            )
            lines.append(f"complete -c lineage {seen} {names}{value} -d {_fish_quoted(option.summary)}")
        if command.words:
            lines.append(f"complete -c lineage {seen} -f -a {_fish_quoted(' '.join(command.words))}")
    return "\n".join(lines)


def _fish_quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


_SCRIPTS: dict[str, Callable[[list[_Command]], str]] = {"bash": _bash, "fish": _fish, "zsh": _zsh}
