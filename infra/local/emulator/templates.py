"""CloudFormation's templates, read by libyaml: PyYAML's own parser takes a second more for a deployment."""

from __future__ import annotations

import yaml
from ministack.services.cloudformation import engine


def install() -> None:
    """Let ministack read templates by libyaml, which PyYAML's packages bring.

    Raises:
        AttributeError: ministack has no such hook any more, or PyYAML was built without libyaml.
    """

    class Loader(yaml.CSafeLoader):
        yaml_constructors = engine.CfnLoader.yaml_constructors

    engine.CfnLoader = Loader
