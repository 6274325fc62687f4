"""The components that can be deployed, and the names of their stacks."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLATFORM = "platform"
CATALOG = "catalog"
ENVIRONMENT = "[a-z][a-z0-9]{0,11}"
"""The pattern of an environment's name, which is part of a bucket's, a database's and a function's."""
SERVICES = tuple(sorted(template.parent.name for template in (ROOT / "services").glob("*/template.yaml")))
"""The services: each folder with a template."""
OPTIONAL = ("listenbrainz",)
"""The services that are deployed only by name."""

ANALYTICS = "analytics"
COMPONENTS = (PLATFORM, CATALOG, *SERVICES, ANALYTICS)
"""All components: the platform, the tables, the services that write them, and the views and named queries."""


def template(component: str) -> Path:
    """Returns the template of a component."""
    elsewhere = {PLATFORM: "infra/platform.yaml", CATALOG: "infra/catalog.yaml", ANALYTICS: "analytics/template.yaml"}
    return ROOT / elsewhere.get(component, f"services/{component}/template.yaml")


def platform_parameter(environment: str, name: str) -> str:
    """Returns the SSM parameter with what a template's parameter reads from the platform.

    It is `/earworm/<environment>/topic-arn` for `TopicArn`.
    """
    return f"/earworm/{environment}/{re.sub('(?<!^)(?=[A-Z])', '-', name).lower()}"


def stack_name(environment: str, component: str) -> str:
    """Returns the name of a component's stack, `earworm-<environment>-<component>`."""
    return f"earworm-{environment}-{component.replace('_', '-')}"
