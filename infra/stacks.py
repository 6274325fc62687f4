"""What there is to deploy, and what it is called."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLATFORM = "platform"
SERVICES = tuple(sorted(template.parent.name for template in (ROOT / "services").glob("*/template.yaml")))
"""The services that there are: each folder with a template."""


def template(component: str) -> Path:
    """The template of the platform or of a service."""
    return ROOT / "infra/platform.yaml" if component == PLATFORM else ROOT / "services" / component / "template.yaml"


def stack_name(environment: str, component: str) -> str:
    """The stack of the platform or of a service, `earworm-<environment>-<component>`."""
    return f"earworm-{environment}-{component.replace('_', '-')}"
