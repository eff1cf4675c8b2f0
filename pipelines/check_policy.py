"""Validates a policy pack."""

from __future__ import annotations

from agrocredit.domain.summary import Summary


def check_policy(name_or_path: str) -> Summary:
    """Return what a policy pack holds: versions, parameters, and how many of them are only illustrative.

    Raises
    ------
    InputUnusableError
        ``policy_missing`` or ``policy_invalid``, naming file and line.
    """
    from agrocredit.credit import load_policy

    policy = load_policy(name_or_path)
    counts = {
        "parameters": len(policy.parameters),
        "illustrative": len(policy.illustrative_paths),
        "versions": len(policy.versions),
        "crops": len(policy.crops),
    }
    facts = {"policy": policy.name, "version": policy.version, "currency": policy.currency, "sha256": policy.sha256}
    return Summary(counts=counts, facts=facts)
