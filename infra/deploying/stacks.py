"""The components that can be deployed, and the names of their stacks."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLATFORM = "platform"
CATALOG = "catalog"
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


def stack_name(environment: str, component: str) -> str:
    """Returns the name of a component's stack, `earworm-<environment>-<component>`."""
    return f"earworm-{environment}-{component.replace('_', '-')}"
