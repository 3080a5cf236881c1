"""The token, signed with PyJWT. FACTEUR_KEY_FILE names the file with the key that Facteur has too, FACTEUR_URL says where
Facteur is: the token is for nobody else."""
import os, time, uuid
from pathlib import Path

import jwt

KEY = Path(os.environ["FACTEUR_KEY_FILE"]).read_text().rstrip()


def facteur_token(user, challenge=None):  # challenge: what the element sent, if it asks
    now = int(time.time())
    claims = {
        "iss": "my-portal", "aud": os.environ["FACTEUR_URL"], "iat": now, "exp": now + 120, "jti": str(uuid.uuid4()),
        "challenge": challenge,
        "sub": str(user["id"]), "name": user["name"], "email": user["email"],
        "account": {"id": str(user["shop"]["id"]), "name": user["shop"]["name"]},
    }
    return jwt.encode(claims, KEY, algorithm="HS256", headers={"kid": "k1"})
