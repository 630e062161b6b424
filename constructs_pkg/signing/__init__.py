"""AWS Signer's Lambda signatures, read, verified and made without AWS: bytes in, values out; no clock, no network.

This package imports nothing by itself. The doors:

* ``verifier.verify_archive`` and ``deployment.decide_deployment``: would Lambda accept this, under this policy?
* ``policy.CodeSigningPolicy`` and ``policy_file.parse_policy``: whom to trust.
* ``trust.TrustStore``: the roots.
* ``report.VerificationReport``: the answer.
* ``archive.read_archive`` and ``cms.parse_signature``: the two halves of a signed archive.
* ``authority.LocalAuthority`` and ``authority_directory.AuthorityDirectory``: a throwaway AWS Signer, unsafe for
  production, behind ``signer.Signer``.
"""
