"""What a pull request meets: the whole service, a real review, a real PostgreSQL, and a GitHub of our own."""

from gate import concluded, settled
from github import Hub, Repository


def test_a_clean_pull_request_passes(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """Its check is green, and one comment says what the migration does."""
    serve()
    pull = shop.open("clean")
    check = concluded(pull)
    assert (check["name"], check["conclusion"]) == ("Migration policy", "success")
    settled(state_url)
    [comment] = pull.ours
    assert comment["body"].startswith("<!-- bulletproof -->\n### ✅ Migration policy")
    assert check["details_url"].startswith("https://bulletproof.example/reviews/")
    assert check["history"][0] == ("in_progress", None)
