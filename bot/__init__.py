"""Everything that acts: the command line, git, branch databases, the service."""
