"""The container's and the compose file's options are ones that the server has."""

import json
import re
from pathlib import Path

import yaml

from playahead.cli.parser import build_parser, spelt_for_python

DEPLOY = Path(__file__).parents[3] / "deploy"


def parsed(words: list[str]):
    arguments = ["serve", *words]
    return build_parser(arguments).parse_args([spelt_for_python(word) for word in arguments])


def test_the_options_exist(monkeypatch):
    monkeypatch.setenv("PLAYAHEAD_TOKEN", "long-enough-for-a-token")
    container = (DEPLOY / "Containerfile").read_text()
    assert parsed(json.loads(re.search(r"^CMD (\[.+\])$", container, re.MULTILINE)[1]))["serve"]["host"] == "0.0.0.0"
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    found = parsed(compose["services"]["playahead"]["command"])
    assert str(found["serve"]["token_file"]) == "/run/secrets/token"
    scraped = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())["scrape_configs"][0]
    assert scraped["static_configs"][0]["targets"] == ["playahead:8008"]
    assert "USER playahead" in container
