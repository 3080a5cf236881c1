"""Receives Facteur's events. FACTEUR_WEBHOOK_SECRET_FILE names the file with the secret that Facteur shares.
FACTEUR_WEBHOOK_SECRET_FILE=webhook.key PORT=4001 python facteur_webhook.py
"""
import base64, hashlib, hmac, json, os, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SECRET = base64.b64decode(Path(os.environ["FACTEUR_WEBHOOK_SECRET_FILE"]).read_text().rstrip().removeprefix("whsec_"))


def facteur_event(headers, body):
    """The event; None if Facteur did not sign it, or more than five minutes ago. `body`: the unmodified bytes."""
    key, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not at.isdecimal() or abs(time.time() - int(at)) > 300:
        return None
    signed = hmac.new(SECRET, f"{key}.{at}.".encode() + body, hashlib.sha256).digest()
    expected = b"v1," + base64.b64encode(signed)
    given = headers.get("webhook-signature", "").encode().split(b" ")
    return json.loads(body) if any(hmac.compare_digest(expected, one) for one in given) else None


class Hook(BaseHTTPRequestHandler):
    def do_POST(self):
        event = facteur_event(self.headers, self.rfile.read(int(self.headers.get("content-length", 0))))
        if event:
            # An event may come again with the same webhook-id: remember the ones you have handled.
            print(self.headers["webhook-id"], event["type"], event["data"], flush=True)
        self.send_response(204 if event else 400)
        self.end_headers()


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Hook).serve_forever()
