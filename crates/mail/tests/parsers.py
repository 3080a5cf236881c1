# Reads messages, one a line in base64, and prints what Python's email finds in each, one JSON object a line.
import base64
import email.header
import email.policy
import json
import sys


def name_in(message, header):
    return message[header].addresses[0].display_name if message[header] else ""


def name_beside(part):
    return str(email.header.make_header(email.header.decode_header(part.get_param("name", "", "content-type"))))


for line in sys.stdin:
    message = email.message_from_bytes(base64.b64decode(line), policy=email.policy.default)
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    parts = list(message.walk())
    files = [
        {
            "name": part.get_filename(),
            "beside": name_beside(part),
            "inline": part.get_content_disposition() == "inline",
            "content": base64.b64encode(part.get_payload(decode=True)).decode(),
        }
        for part in parts
        if part.get_filename() is not None
    ]
    print(json.dumps({
        "subject": message["Subject"],
        "from": name_in(message, "From"),
        "to": name_in(message, "To"),
        "reply_to": name_in(message, "Reply-To"),
        "text": text.get_content() if text else None,
        "html": html.get_content() if html else None,
        "files": files,
        "boundaries": [part.get_boundary() for part in parts if part.get_boundary()],
        "defects": [type(defect).__name__ for part in parts for defect in part.defects],
        "shape": [part.get_content_type() for part in parts],
    }))
