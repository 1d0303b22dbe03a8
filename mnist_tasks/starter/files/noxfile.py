"""The whole workflow in an environment of its own, as CI runs it: ``nox``."""

import nox

nox.options.default_venv_backend = "uv|virtualenv"


@nox.session
def validate(session: nox.Session) -> None:
    """Fetch, train, check and report. What follows ``--`` goes to the task `workflow`."""
    session.install(*nox.project.load_toml("pyproject.toml")["project"]["dependencies"])
    folder = session.create_tmp()
    files = ("--output", f"{folder}/model.h5", "--runs", f"{folder}/runs")
    session.run("invoke", "workflow", *files, *session.posargs)
