"""An HTTP server whose pages tell their path."""
import http.server
import threading


def body_of(path):
    return f"page {path}\n".encode() * 1000


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = body_of(self.path)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def serve_pages(case):
    """On the port that is returned, until the test ends."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    case.addCleanup(server.server_close)
    case.addCleanup(server.shutdown)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]
