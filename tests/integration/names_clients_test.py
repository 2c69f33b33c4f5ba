"""Unmodified clients, each with a resolver of its own kind, reach PostgreSQL and HTTP by an endpoint's
name in `culvert run`: the C library's, musl's in a static program, Go's own, Java's, Node's, Python's."""
import os
import shutil
import subprocess
import sys
import unittest

from culvert_processes import quiet_port
from postgres_server import PostgresCase, program
from up_test import ConfigCase

PAGE = b"a page through the tunnel"
MUSL = """
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
int main(int argc, char **argv) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
  if (argc < 3 || getaddrinfo(argv[1], argv[2], &hints, &found) != 0) return 1;
  int socket_ = socket(found->ai_family, SOCK_STREAM, 0);
  if (connect(socket_, found->ai_addr, found->ai_addrlen) != 0) return 2;
  const char *ask = "GET / HTTP/1.0\\r\\n\\r\\n";
  char page[4096];
  if (write(socket_, ask, strlen(ask)) < 0) return 3;
  for (ssize_t got; (got = read(socket_, page, sizeof page)) > 0;) fwrite(page, 1, got, stdout);
  return 0;
}
"""
GO = """package main
import ("fmt"; "io"; "net/http"; "os")
func main() {
  answer, failure := http.Get(os.Args[1])
  if failure != nil { panic(failure) }
  page, _ := io.ReadAll(answer.Body)
  fmt.Print(string(page))
}
"""
JAVA = """import java.net.*; import java.io.*;
public class Fetch {
  public static void main(String[] words) throws Exception {
    System.out.write(new URL(words[0]).openStream().readAllBytes()); System.out.flush();
  }
}
"""
NODE = "require('http').get(process.argv[1], answer => answer.pipe(process.stdout))"
PYTHON = "import sys, urllib.request as u; sys.stdout.buffer.write(u.urlopen(sys.argv[1]).read())"


class NamesClients(ConfigCase, PostgresCase):
    def setUp(self):
        super().setUp()
        self.web_port, self.db_port = quiet_port(), self.start_server()
        parts = [self.relay_part(entities=("web", "db"))]
        for entity, target, port in (("web", self.serve(self.page), self.web_port),
                                     ("db", self.db_port, self.db_port)):
            parts += [self.listener_part(target, entity),
                      f'[[sender]]\nname = "{entity}"\nendpoint = "{entity}.internal:{port}"\nca = "ca.pem"\n'
                      f'connection_string = "{self.connection("sender", entity)}"\n']
        self.config = self.write_config(*parts)
        process = self.start("up", [self.culvert(), "up", "--config", self.config])
        process.wait_for_line("registered at the relay", count=2)
        process.wait_for_line("ready for apps", count=2)
        self.url = f"http://web.internal:{self.web_port}/"
        tried = self.run_in("true")
        if tried.returncode != 0:
            reason = f"no namespaces here: {tried.stderr}"
            print(f"skipped: {reason}", file=sys.stderr)
            raise unittest.SkipTest(reason)

    @staticmethod
    def page(peer):
        while b"\r\n\r\n" not in peer.recv(65536, 2):  # MSG_PEEK
            pass
        peer.recv(65536)
        peer.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(PAGE) + PAGE)

    def run_in(self, *words, **options):
        return subprocess.run([self.culvert(), "run", "--config", self.config, "--", *words],
                              capture_output=True, text=True, timeout=300, check=False, **options)

    def compiled(self, name, text, *command):
        """Where the program is; None without its compiler."""
        if not shutil.which(command[0]):
            return None
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        subprocess.run([*command, path], check=True, cwd=self.folder, timeout=300, capture_output=True,
                       env={**os.environ, "CGO_ENABLED": "0", "GOCACHE": f"{self.folder}/go",
                            "GOTOOLCHAIN": "local", "GO111MODULE": "off"})
        return os.path.join(self.folder, os.path.splitext(name)[0])

    def web_clients(self):
        yield "curl", shutil.which("curl") and ["curl", "-sS", self.url]
        yield "python", [sys.executable, "-c", PYTHON, self.url]
        yield "node", shutil.which("node") and ["node", "-e", NODE, self.url]
        musl = self.compiled("musl.c", MUSL, "musl-gcc", "-static", "-o", "musl")
        yield "a static program of musl", musl and [musl, "web.internal", str(self.web_port)]
        go = self.compiled("fetch.go", GO, "go", "build", "-o", "fetch")
        yield "Go without cgo", go and [go, self.url]
        java = self.compiled("Fetch.java", JAVA, "javac")
        yield "Java", java and ["java", "-cp", self.folder, "Fetch", self.url]

    def test_http_by_name(self):
        for name, command in self.web_clients():
            with self.subTest(name):
                if not command:
                    print(f"not here: {name}", file=sys.stderr)
                    continue
                done = self.run_in(*command)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertTrue(done.stdout.endswith(PAGE.decode()), done.stdout)
                outside = subprocess.run(command, capture_output=True, timeout=300, check=False)
                self.assertNotEqual(outside.returncode, 0, "the name is known outside")

    def test_postgresql_by_name(self):
        done = self.run_in(program("psql"), "-X", "-A", "-t", "-h", "db.internal", "-p", str(self.db_port), "-U",
                           self.name, "-c", "SELECT sum(n) FROM generate_series(1, 1000) AS n", "postgres")
        self.assertEqual((done.returncode, done.stdout), (0, "500500\n"), done.stderr)


if __name__ == "__main__":
    unittest.main()
