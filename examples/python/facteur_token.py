"""The token, signed with PyJWT. FACTEUR_KEY_FILE names the file with the key that Facteur shares. FACTEUR_URL is
Facteur's address, the token's only audience."""
import os, time, uuid
from pathlib import Path

import jwt

KEY = Path(os.environ["FACTEUR_KEY_FILE"]).read_text().rstrip()


def facteur_token(user, challenge=None):  # challenge: from the element's request, if there is one
    now = int(time.time())
    claims = {
        "iss": "my-portal", "aud": os.environ["FACTEUR_URL"], "iat": now, "exp": now + 120, "jti": str(uuid.uuid4()),
        "challenge": challenge,
        "sub": str(user["id"]), "name": user["name"], "email": user["email"],
        "account": {"id": str(user["shop"]["id"]), "name": user["shop"]["name"]},
    }
    return jwt.encode(claims, KEY, algorithm="HS256", headers={"kid": "k1"})
