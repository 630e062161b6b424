"""The openssl command line and this package judge the same envelopes; where they differ, the reason stands here."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from constructs_pkg.errors import CmsError
from constructs_pkg.signing.archive import read_archive
from constructs_pkg.signing.cms import parse_signature
from tests.corpus import certificate_zoo as zoo
from tests.corpus import cms_cases as corpus
from tests.corpus import independent_cms as cms
from tests.signing.signed_archives import SIGNED_AT, signed_archive

OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="needs the openssl command line")


@dataclass(frozen=True)
class OpenSsl:
    """Verifies envelopes in a directory of its own."""

    directory: Path

    def accepts(self, entry: bytes, content: bytes, root_pem: bytes, at: int) -> bool:
        """Ask whether the envelope is a good signature of the content under the root at a moment."""
        paths = {name: self.directory / name for name in ("signature", "content", "root")}
        for path, data in zip(paths.values(), (entry, content, root_pem), strict=True):
            path.write_bytes(data)
        arguments = ["cms", "-verify", "-binary", "-inform", "PEM", "-in", str(paths["signature"])]
        arguments += ["-content", str(paths["content"]), "-CAfile", str(paths["root"]), "-attime", str(at)]
        arguments += ["-no-CApath", "-no-CAstore", "-out", str(self.directory / "out")]
        # OpenSSL knows the purpose codesign since 3.2 only, and takes S/MIME for granted without any.
        done = subprocess.run(
            [OPENSSL or "", *arguments, "-purpose", "any"], capture_output=True, check=False, timeout=30
        )
        # 2: the envelope could not be read; 4: it was read and did not verify. Anything else is our own mistake.
        assert done.returncode in {0, 2, 4}, done.stderr.decode()
        return done.returncode == 0


@pytest.fixture
def openssl(tmp_path: Path) -> OpenSsl:
    return OpenSsl(tmp_path)


def _seconds() -> int:
    return int(SIGNED_AT.timestamp())


def test_openssl_accepts_what_the_authority_signs(openssl: OpenSsl) -> None:
    signed = signed_archive()
    reading = read_archive(signed.archive)
    assert reading.signature is not None
    assert openssl.accepts(reading.signature, reading.content_digest, signed.root_pem, _seconds())


def test_openssl_refuses_what_the_authority_signed_over_other_content(openssl: OpenSsl) -> None:
    signed = signed_archive()
    reading = read_archive(signed.archive)
    assert reading.signature is not None
    assert not openssl.accepts(reading.signature, bytes(48), signed.root_pem, _seconds())


def test_openssl_refuses_what_the_authority_signed_under_another_root(openssl: OpenSsl) -> None:
    signed = signed_archive()
    reading = read_archive(signed.archive)
    assert reading.signature is not None
    assert not openssl.accepts(reading.signature, reading.content_digest, corpus.ROOT_PEM, _seconds())


def test_both_accept_an_envelope_that_was_made_independently(openssl: OpenSsl) -> None:
    entry = corpus.good_entry()
    assert openssl.accepts(entry, corpus.CONTENT_DIGEST, corpus.ROOT_PEM, int(corpus.SIGNED_AT.timestamp()))
    parse_signature(entry).check(corpus.CONTENT_DIGEST)


# What OpenSSL (as of 3.0) accepts in some case of the corpus and this package refuses, and why it is stricter.
STRICTER_BY_REASON = {
    "signature_pem_malformed": "PEM readers take several labels and skip what they do not know",
    "signature_too_large": "OpenSSL has no bound",
    "signature_malformed": "OpenSSL reads BER everywhere, in which one thing has many encodings; AWS's inside is DER",
    "signature_ber_too_deep": "the same: AWS writes two wrappers in BER",
    "signature_trailing_data": "OpenSSL stops at the end of the structure",
    "content_type": "OpenSSL compares no type of detached content; AWS signs data",
    "content_not_detached": "OpenSSL overlooks what is attached where the content is given; somebody else may read it",
    "signature_version": "OpenSSL ignores versions; another version is another format",
    "digest_algorithm": "OpenSSL computes whatever is asked for; the format knows SHA-384 alone",
    "signature_algorithm": "OpenSSL takes the digest from elsewhere and the algorithm from the key",
    "signer_count": "OpenSSL wants all of several signers to be good; an archive has one publisher",
    "unsigned_attributes_present": "nobody signed them, so that anybody can add them",
    "signed_attributes_missing": "a signature over the bare content names no job, publisher or expiry",
    "attribute_order": "OpenSSL verifies the attributes as they stand",
    "attribute_duplicate": "a reader takes the first or the last: they could differ",
    "attribute_unknown": "OpenSSL leaves attributes to the application; an unknown one could mean anything",
    "attribute_missing": "OpenSSL does not know AWS's attributes",
    "attribute_value_count": "two publishers, of which a reader takes either",
    "time_malformed": "OpenSSL judges by the clock or by -attime, never by the signed times",
    "expiry_not_after_signing": "the same",
    "signed_in_the_future": "the same",
    "signing_job_arn": "OpenSSL does not know AWS's attributes",
    "signing_profile_version_arn": "the same",
    "arns_disagree": "the same",
    "algorithm_protection": "OpenSSL 3.0 does not check RFC 6211",
    "certificate_count": "OpenSSL takes certificates as a pool; AWS sends the chain and nothing else",
    "certificate_order": "OpenSSL takes certificates in any order",
    "certificate_duplicate": "the same",
    "certificate_malformed": "OpenSSL never looks at certificates that it does not need for the chain",
    "certificate_unused": "the same",
    "leaf_is_ca": "OpenSSL lets a CA sign content, and takes silence for no CA",
    "leaf_key_usage": "OpenSSL asks for no purpose here (codesign came with 3.2), and takes silence for permission",
    "leaf_extended_key_usage": "the same",
    "signer_key": "OpenSSL takes any curve",
    "chain_invalid": "OpenSSL takes an absent key usage for permission, and weaker digests",
}


@pytest.mark.parametrize(
    "case", [case for case in (*corpus.CMS_CASES, *corpus.CHAIN_CASES) if case.reason], ids=lambda case: case.name
)
def test_where_openssl_accepts_what_is_refused_here_there_is_a_reason(openssl: OpenSsl, case: corpus.CmsCase) -> None:
    at = int(corpus.SIGNED_AT.timestamp())
    if openssl.accepts(case.build(), corpus.CONTENT_DIGEST, corpus.ROOT_PEM, at):
        assert case.reason in STRICTER_BY_REASON


@pytest.mark.parametrize(
    "case", [case for case in (*corpus.CMS_CASES, *corpus.CHAIN_CASES) if not case.reason], ids=lambda case: case.name
)
def test_openssl_accepts_whatever_is_accepted_here(openssl: OpenSsl, case: corpus.CmsCase) -> None:
    at = int(corpus.SIGNED_AT.timestamp())
    assert openssl.accepts(case.build(), corpus.CONTENT_DIGEST, corpus.ROOT_PEM, at)


def test_an_envelope_signed_by_openssl_itself_lacks_the_attributes_of_aws(openssl: OpenSsl) -> None:
    """What ``openssl cms -sign`` makes with our leaf is good CMS, but says nothing of job, publisher and expiry."""
    chain = zoo.chain()
    files = {
        "key.pem": chain.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        "leaf.pem": chain.leaf.public_bytes(Encoding.PEM),
        "others.pem": b"".join(certificate.public_bytes(Encoding.PEM) for certificate in chain.certificates[1:]),
        "content": corpus.CONTENT_DIGEST,
    }
    for name, data in files.items():
        (openssl.directory / name).write_bytes(data)
    arguments = "cms -sign -binary -md sha384 -in content -signer leaf.pem -inkey key.pem -certfile others.pem"
    subprocess.run(
        [OPENSSL or "", *arguments.split(), "-outform", "DER", "-out", "signature", "-nosmimecap"],
        cwd=openssl.directory,
        check=True,
        capture_output=True,
        timeout=30,
    )
    entry = cms.armored((openssl.directory / "signature").read_bytes())
    with pytest.raises(CmsError) as caught:
        parse_signature(entry)
    assert caught.value.reason == "attribute_missing"
