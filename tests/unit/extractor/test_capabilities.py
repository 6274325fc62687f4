import pytest

from services.extractor.capabilities import Capabilities
from shared.web import NotFoundError, RefusedError, UnavailableError, WebError


def refuse(status: int) -> None:
    if status == 404:
        raise NotFoundError("GET it", "Not found")
    raise RefusedError("GET it", status, "Forbidden")


@pytest.mark.parametrize("status", [403, 404, 410])
def test_what_was_refused_is_not_asked_for_again(status: int) -> None:
    # given a capability that Spotify refuses
    capabilities = Capabilities()
    with pytest.raises(RefusedError):
        capabilities.use("batch_lookup", refuse, status)

    # when it is wanted again, then the same refusal comes without a request
    def unexpected() -> None:
        raise AssertionError

    with pytest.raises(RefusedError, match=str(status)):
        capabilities.use("batch_lookup", unexpected)

    # and it is told
    assert capabilities.findings == {"batch_lookup": f"refused:{status}"}


def test_a_malformed_request_says_nothing_of_the_application() -> None:
    capabilities = Capabilities()

    with pytest.raises(RefusedError):
        capabilities.use("batch_lookup", refuse, 400)

    assert capabilities.use("batch_lookup", lambda: "artists") == "artists"
    assert capabilities.findings == {"batch_lookup": "ok"}


def test_a_fault_that_may_pass_says_nothing_at_all() -> None:
    def fail() -> None:
        raise UnavailableError("GET it", 503, "Down")

    capabilities = Capabilities()

    with pytest.raises(WebError):
        capabilities.use("audio_features", fail)

    assert capabilities.findings == {}
