"""The commands for formulas: work some out without any tenant."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from tabwright.terminal import language, reaches

if TYPE_CHECKING:
    from tabwright.formula.answering import Engine


@click.group()
def formula() -> None:
    """Work formulas out, without any tenant."""


@formula.command("eval")
@click.argument("expression", required=False)
@click.option("--jsonl", is_flag=True, help="Questions on standard input, one JSON object a line.")
@click.option(
    "--engine",
    default="python",
    show_default=True,
    type=click.Choice(["python", "tree", "sqlite", "postgresql"]),
)
@click.option(
    "--database-url",
    envvar="TABWRIGHT_DATABASE_URL",
    help="The PostgreSQL server for --engine postgresql.",
)
@reaches("nothing")
def evaluate(expression: str | None, jsonl: bool, engine: Engine, database_url: str | None) -> None:
    """Print the value of EXPRESSION, or with --jsonl answer lines (see docs/guide) until they end."""
    from tabwright.formula.answering import Answers

    if jsonl == (expression is not None):
        raise click.UsageError("give an expression or --jsonl")
    if engine == "postgresql" and not database_url:
        raise click.UsageError("--engine postgresql needs --database-url or TABWRIGHT_DATABASE_URL")
    url = (database_url or "").replace("postgresql://", "postgresql+psycopg://", 1)
    answers = Answers(engine, language(), url)
    try:
        if expression is None:
            _answer_lines(answers.line)
            return
        found = answers.answer({"expr": expression})
        if "error" in found:
            raise click.ClickException(found["error"]["message"])
        click.echo("" if found["value"] is None else found["value"])
    finally:
        answers.close()


def _answer_lines(answer: Any) -> None:
    for line in sys.stdin.buffer:
        if line.strip():
            sys.stdout.write(answer(line.decode("utf-8", "replace")) + "\n")
            sys.stdout.flush()
