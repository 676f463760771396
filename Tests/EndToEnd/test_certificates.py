"""Who is let in over mutual TLS, and what the log says about the others."""

import os
import pathlib
import subprocess
import time
import unittest

from broker import CREMA, WAIT_SECONDS, BrokerTestCase, run


class CertificateTests(BrokerTestCase):
    def refused(self, *options, logged, port=None):
        """Tries until the log says why: it has one such line a second and peer, so another test's refusal may take its place."""
        server = ["-h", "localhost", "-p", str(port)] if port else self.broker.server()
        deadline = time.monotonic() + WAIT_SECONDS
        while logged not in self.broker.log():
            self.assertLess(time.monotonic(), deadline, f"{logged} is not in the log:\n{self.broker.log()}")
            result = run("mosquitto_pub", *server, *options, "-q", "1", "-t", "orders/nyc/x", "-m", "{}", check=False)
            self.assertNotEqual(result.returncode, 0, "it was let in")
            time.sleep(0.3)

    def pair(self, folder, name):
        return ["--cert", f"{folder}/clients/{name}.crt", "--key", f"{folder}/clients/{name}.key"]

    def test_a_client_of_this_authority_is_let_in(self):
        self.broker.publish("device-2", "orders/nyc/device-2", "{}")

    def test_a_client_without_a_certificate_is_refused(self):
        self.refused(logged="sent no certificate")

    def test_a_client_of_another_authority_is_refused(self):
        other = self.broker.folder / "other"
        run(CREMA, "certs", "init", "--directory", str(other))
        run(CREMA, "certs", "issue", "stranger", "--directory", str(other))
        self.refused(*self.pair(other, "stranger"), logged='subject="CN=stranger,')

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
        self.refused(*self.pair(folder, "late"), logged="expired")

    @unittest.skipIf(os.geteuid() != 0, "needs root, to hand out a file")
    def test_a_key_that_root_hands_to_a_group_is_taken_and_one_of_others_is_not(self):
        """Threat 59: secrets of Kubernetes and of systemd come as root's, readable by the group of the broker."""
        folder = self.broker.folder / "handed"
        run(CREMA, "certs", "init", "--directory", str(folder))
        (folder / "crema.yaml").write_text(
            "listeners: [{protocol: mqtts, bind: '127.0.0.1:0', anonymous: true, certificate: server.crt, key: server.key}]\n")
        for path in (self.broker.folder, folder):
            path.chmod(0o755)
        key = folder / "server.key"

        def check(owner, group, mode):
            os.chown(key, owner, group)
            key.chmod(mode)
            result = subprocess.run([CREMA, "check", "--config", str(folder / "crema.yaml")], user=1883, group=1883, extra_groups=[],
                                    capture_output=True, text=True, timeout=WAIT_SECONDS)
            return result.returncode, result.stdout + result.stderr

        try:
            runs = subprocess.run([CREMA, "--version"], user=1883, group=1883, extra_groups=[], capture_output=True).returncode == 0
        except PermissionError:
            runs = False
        if not runs:
            self.skipTest("the program lies where no other user may run it")
        self.assertEqual(check(0, 1883, 0o440)[0], 0)
        self.assertEqual(check(0, 1883, 0o640)[0], 0)
        for owner, mode in ((1883, 0o440), (0, 0o444), (0, 0o460)):
            code, text = check(owner, 1883, mode)
            self.assertEqual(code, 2, text)
            self.assertIn("lets others read the key", text)

    def test_plain_mqtt_on_the_tls_port_is_named(self):
        self.refused(logged="plain MQTT", port=self.broker.mqtts)


if __name__ == "__main__":
    unittest.main()
