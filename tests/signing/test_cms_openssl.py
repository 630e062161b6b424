"""The openssl command line and this package judge the same envelopes; where they differ, the reason stands here."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from constructs_pkg.errors import CmsError
from constructs_pkg.signing.archive import read_archive
from constructs_pkg.signing.cms import parse_signature
from tests.corpus import certificate_zoo as zoo
from tests.corpus import cms_cases as corpus
from tests.corpus import independent_cms as cms
from tests.signing.conftest import SIGNED_AT, Signed

OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="needs the openssl command line")


@dataclass(frozen=True)
class OpenSsl:
    """Verifies envelopes in a directory of its own."""

    directory: Path

    def accepts(self, entry: bytes, content: bytes, root_pem: bytes, at: int, *options: str) -> bool:
        """Ask whether the envelope is a good signature of the content under the root at a moment."""
        paths = {name: self.directory / name for name in ("signature", "content", "root")}
        for path, data in zip(paths.values(), (entry, content, root_pem), strict=True):
            path.write_bytes(data)
        arguments = ["cms", "-verify", "-binary", "-inform", "PEM", "-in", str(paths["signature"])]
        arguments += ["-content", str(paths["content"]), "-CAfile", str(paths["root"]), "-attime", str(at)]
        arguments += ["-no-CApath", "-no-CAstore", "-out", str(self.directory / "out")]
        purpose = options or ("-purpose", "codesign")
        done = subprocess.run([OPENSSL or "", *arguments, *purpose], capture_output=True, check=False, timeout=30)
        assert done.returncode in {0, 4}, done.stderr.decode()
        return done.returncode == 0


@pytest.fixture
def openssl(tmp_path: Path) -> OpenSsl:
    return OpenSsl(tmp_path)


def _seconds() -> int:
    return int(SIGNED_AT.timestamp())


def test_openssl_accepts_what_the_authority_signs(openssl: OpenSsl, signed: Signed) -> None:
    reading = read_archive(signed.archive)
    assert reading.signature is not None
    assert openssl.accepts(reading.signature, reading.content_digest, signed.root_pem, _seconds())


def test_openssl_refuses_what_the_authority_signed_over_other_content(openssl: OpenSsl, signed: Signed) -> None:
    reading = read_archive(signed.archive)
    assert reading.signature is not None
    assert not openssl.accepts(reading.signature, bytes(48), signed.root_pem, _seconds())


def test_openssl_refuses_what_the_authority_signed_under_another_root(openssl: OpenSsl, signed: Signed) -> None:
    reading = read_archive(signed.archive)
    assert reading.signature is not None
    assert not openssl.accepts(reading.signature, reading.content_digest, corpus.ROOT_PEM, _seconds())


def test_both_accept_an_envelope_that_was_made_independently(openssl: OpenSsl) -> None:
    entry = corpus.good_entry()
    assert openssl.accepts(entry, corpus.CONTENT_DIGEST, corpus.ROOT_PEM, int(corpus.SIGNED_AT.timestamp()))
    parse_signature(entry).check(corpus.CONTENT_DIGEST)


# What OpenSSL accepts and this package refuses, and why it is stricter.
STRICTER = {
    "good_only_outer_wrapper_indefinite": None,
    "pem_label_cms": "OpenSSL takes any label of CMS; AWS writes PKCS7, and one form leaves less room to hide in",
    "pem_with_text_before": "PEM readers skip what they do not know; nothing of an entry may go unread here",
    "pem_with_text_after": "as above",
    "pem_block_twice": "which block counts is the reader's choice; two readers could choose differently",
    "pem_not_canonical_base64": "two texts for the same bytes",
    "bytes_after_the_end": "OpenSSL stops at the end of the structure; nothing may go unread here",
    "signed_data_of_indefinite_length": "OpenSSL reads BER everywhere; AWS writes it in two places only",
    "certificates_of_indefinite_length": None,
    "length_not_the_shortest": "as above: two encodings of the same thing",
    "revocation_lists": None,
    "signed_data_version_3": "OpenSSL ignores versions; another version is another format",
    "signer_info_version_3": "as above",
    "signature_algorithm_with_null": "RFC 5754 wants the parameters absent; OpenSSL ignores them",
    "digest_sha512_beside_sha384": "an algorithm that nobody uses has no business in the envelope",
    "signer_twice": "OpenSSL wants all of several signers to be good; AWS has one publisher an archive",
    "unsigned_attributes": "nobody signed them, so that anybody can add them",
    "attributes_in_reverse_order": None,
    "attribute_unknown": "OpenSSL leaves unknown attributes to the application; they could mean anything",
    "signing_job_missing": "OpenSSL does not know AWS's attributes",
    "expiry_missing": "as above: without it a signature would be good for ever",
    "two_values_of_profile_version": "as above: two publishers, of which a reader takes either",
    "accounts_disagree": "as above",
    "expiry_before_signing_time": "as above",
    "signing_time_as_utc_time": "RFC 5652 would have it so; AWS does not, and UTCTime has no milliseconds",
    "certificate_outside_of_the_chain": "OpenSSL takes certificates as a pool; AWS sends the chain and nothing else",
    "leaf_without_basic_constraints": "OpenSSL takes a certificate without them for no CA; the format wants it said",
    "leaf_without_key_usage": "OpenSSL takes absence for permission; the format wants it said",
}


@pytest.mark.parametrize("name", [name for name, why in STRICTER.items() if why is not None])
def test_where_openssl_accepts_what_is_refused_here_there_is_a_reason(openssl: OpenSsl, name: str) -> None:
    case = next(case for case in (*corpus.CMS_CASES, *corpus.CHAIN_CASES) if case.name == name)
    accepted = openssl.accepts(case.build(), corpus.CONTENT_DIGEST, corpus.ROOT_PEM, int(corpus.SIGNED_AT.timestamp()))
    assert (accepted, case.reason is not None) == (True, True)


CRYPTOGRAPHIC = (
    "signature_bit_flipped",
    "signed_by_another_key",
    "signed_with_the_implicit_tag",
    "other_content_signed",
    "root_not_trusted",
    "root_with_trusted_name_and_other_key",
    "leaf_run_out_at_signing",
    "parent_is_no_ca",
    "path_longer_than_the_parent_allows",
    "regional_signed_by_somebody_else",
    "leaf_for_servers",
)


@pytest.mark.parametrize("name", CRYPTOGRAPHIC)
def test_both_refuse_what_is_wrong_with_signature_or_chain(openssl: OpenSsl, name: str) -> None:
    case = next(case for case in (*corpus.CMS_CASES, *corpus.CHAIN_CASES) if case.name == name)
    assert case.reason is not None
    assert not openssl.accepts(
        case.build(), corpus.CONTENT_DIGEST, corpus.ROOT_PEM, int(corpus.SIGNED_AT.timestamp())
    )


def test_an_envelope_signed_by_openssl_itself_lacks_the_attributes_of_aws(openssl: OpenSsl) -> None:
    """What ``openssl cms -sign`` makes with our leaf is good CMS, but says nothing of job, publisher and expiry."""
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

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
