"""The token, signed with PyJWT. FACTEUR_KEY_FILE names the file with the key that Facteur has too."""
import os, time, uuid
from pathlib import Path

import jwt

KEY = Path(os.environ["FACTEUR_KEY_FILE"]).read_text().rstrip()


def facteur_token(user):
    now = int(time.time())
    claims = {
        "iss": "my-portal", "aud": "facteur", "iat": now, "exp": now + 120, "jti": str(uuid.uuid4()),
        "sub": str(user["id"]), "name": user["name"], "email": user["email"],
        "account": {"id": str(user["shop"]["id"]), "name": user["shop"]["name"]},
    }
    return jwt.encode(claims, KEY, algorithm="HS256", headers={"kid": "k1"})
