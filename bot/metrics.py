"""What `/metrics` counts."""

from prometheus_client import Counter, Histogram

deliveries = Counter(
    "bulletproof_deliveries", "Webhook deliveries, by event and what became of them.", ["event", "outcome"]
)
work = Counter("bulletproof_work", "Pieces of work, by kind and how they ended.", ["kind", "outcome"])
reviews = Counter("bulletproof_reviews", "Reviews, by verdict.", ["verdict"])
review_seconds = Histogram(
    "bulletproof_review_seconds", "How long a review takes.", buckets=(0.5, 1, 2, 5, 10, 20, 40, 80, 160)
)
github = Counter("bulletproof_github_requests", "Requests to GitHub, by method and status.", ["method", "status"])
