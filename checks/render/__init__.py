"""A report as text for a terminal, as markdown, as JSON and as SARIF."""
