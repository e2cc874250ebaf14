"""What makes rules work: their pages, the weight of their findings, the table of them all."""
