"""Certificates for tests, made by the openssl command."""
import os
import re
import subprocess


class Certificates:
    """A throw-away authority and a relay's certificate, made by openssl."""

    def __init__(self, folder, names=("127.0.0.1", "localhost"), days=30, expired=False):
        self.ca = os.path.join(folder, "ca.pem")
        self.certificate = os.path.join(folder, "relay.pem")
        self.key = os.path.join(folder, "relay.key")
        authority_key = os.path.join(folder, "ca.key")
        kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", str(days)]
        alternatives = ",".join(
            ("IP:" if re.fullmatch(r"[0-9.]+|.*:.*", name) else "DNS:") + name for name in names)
        self._openssl("req", "-x509", *kind, "-subj", "/CN=Culvert test authority",
                      "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                      "-keyout", authority_key, "-out", self.ca)
        wanted = ["-subj", "/CN=relay", "-addext", f"subjectAltName={alternatives}",
                  "-addext", "basicConstraints=critical,CA:FALSE", "-keyout", self.key]
        if expired:
            self._sign_for_a_day_of_2020(folder, authority_key, [*kind[:-2], *wanted])
        else:
            self._openssl("req", "-x509", *kind, *wanted, "-CA", self.ca, "-CAkey", authority_key,
                          "-out", self.certificate)

    def _sign_for_a_day_of_2020(self, folder, authority_key, request):
        """Of the commands of openssl 3.0, only `ca` takes dates."""
        for name, text in (("ca.cnf", "[ca]\ndefault_ca=it\n[it]\ndatabase=index\nserial=serial\n"
                                      "new_certs_dir=.\ndefault_md=sha256\npolicy=any\n"
                                      "copy_extensions=copy\n[any]\ncommonName=supplied\n"),
                           ("index", ""), ("serial", "01\n")):
            with open(os.path.join(folder, name), "w", encoding="ascii") as file:
                file.write(text)
        asked = os.path.join(folder, "relay.csr")
        self._openssl("req", "-new", *request, "-out", asked)
        self._openssl("ca", "-batch", "-config", "ca.cnf", "-cert", self.ca, "-keyfile", authority_key,
                      "-in", asked, "-out", self.certificate, "-notext", "-startdate",
                      "20200101000000Z", "-enddate", "20200102000000Z", cwd=folder)

    @staticmethod
    def _openssl(*arguments, **options):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, **options)
