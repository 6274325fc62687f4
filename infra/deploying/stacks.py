"""What there is to deploy, and what it is called."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLATFORM = "platform"
SERVICES = tuple(sorted(template.parent.name for template in (ROOT / "services").glob("*/template.yaml")))
"""The services that there are: each folder with a template."""
OPTIONAL = ("listenbrainz",)
"""The services that are off until somebody deploys them by name."""

ANALYTICS = "analytics"
COMPONENTS = (PLATFORM, *SERVICES, ANALYTICS)
"""All that there is to deploy: what the services share, the services, and the views and named queries."""


def template(component: str) -> Path:
    """The template of the platform, of a service or of the analytics."""
    elsewhere = {PLATFORM: "infra/platform.yaml", ANALYTICS: "analytics/template.yaml"}
    return ROOT / elsewhere.get(component, f"services/{component}/template.yaml")


def stack_name(environment: str, component: str) -> str:
    """The stack of a component, `earworm-<environment>-<component>`."""
    return f"earworm-{environment}-{component.replace('_', '-')}"
