"""Sends a message. FACTEUR_API_KEY_FILE names the file with the portal's API key."""
import json, os, time
from pathlib import Path
from urllib import error, request

KEY = Path(os.environ["FACTEUR_API_KEY_FILE"]).read_text().rstrip()


def send(message, once):
    """`once`: your own id of this message. Using it again never sends the message twice."""
    headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json", "idempotency-key": once}
    url = os.environ["FACTEUR_URL"] + "/api/v1/messages"
    call = request.Request(url, json.dumps(message).encode(), headers, method="POST")
    for tries in range(1, 6):
        try:
            with request.urlopen(call, timeout=60) as answer:  # seconds
                return json.load(answer)  # id, state, message_id
        except error.HTTPError as refusal:
            said = refusal.read().decode()
            if refusal.code < 500:
                raise RuntimeError(said) from None
        except OSError:
            said = "Facteur is not responding"
        # No response, or 5xx: repeat the request with the same key.
        if tries < 5:
            time.sleep(2**tries)
    raise RuntimeError(said)
