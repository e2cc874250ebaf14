"""The policy's commands on a real database: `bulletproof db status | migrate | sync | verify | generate | reset-dev | studio`."""
