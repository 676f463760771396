"""Who is let in over mutual TLS, and what the log says about the others."""

import pathlib
import unittest

from broker import CREMA, BrokerTestCase, run


class CertificateTests(BrokerTestCase):
    def refused(self, *options):
        result = run(
            "mosquitto_pub", *self.broker.server(), *options, "-q", "1", "-t", "orders/nyc/x", "-m", "{}", check=False)
        self.assertNotEqual(result.returncode, 0, "it was let in")

    def pair(self, folder, name):
        return ["--cert", f"{folder}/clients/{name}.crt", "--key", f"{folder}/clients/{name}.key"]

    def test_a_client_of_this_authority_is_let_in(self):
        self.broker.publish("device-2", "orders/nyc/device-2", "{}")

    def test_a_client_without_a_certificate_is_refused(self):
        self.refused()
        self.broker.wait_for_log("certificate")

    def test_a_client_of_another_authority_is_refused(self):
        other = self.broker.folder / "other"
        run(CREMA, "certs", "init", "--directory", str(other))
        run(CREMA, "certs", "issue", "stranger", "--directory", str(other))
        self.refused(*self.pair(other, "stranger"))
        self.broker.wait_for_log("stranger")

    def test_a_client_whose_certificate_has_expired_is_refused(self):
        folder = self.broker.folder / "expired"
        (folder / "clients").mkdir(parents=True)
        request, certificate = folder / "late.csr", folder / "clients/late.crt"
        extensions = folder / "extensions"
        extensions.write_text("subjectAltName=URI:urn:crema:thing:late\nextendedKeyUsage=clientAuth\n")
        run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=late",
            "-keyout", str(folder / "clients/late.key"), "-out", str(request))
        authority = pathlib.Path(self.broker.certificates)
        run("openssl", "x509", "-req", "-in", str(request), "-CA", str(authority / "ca.crt"), "-CAkey", str(authority / "ca.key"),
            "-CAserial", str(folder / "serial"), "-CAcreateserial", "-days", "-1", "-extfile", str(extensions),
            "-out", str(certificate))
        self.refused(*self.pair(folder, "late"))
        self.broker.wait_for_log("expired")

    def test_plain_mqtt_on_the_tls_port_is_named(self):
        result = run("mosquitto_pub", "-h", "localhost", "-p", str(self.broker.mqtts), "-t", "a", "-m", "b", check=False)
        self.assertNotEqual(result.returncode, 0)
        self.broker.wait_for_log("plain")


if __name__ == "__main__":
    unittest.main()
