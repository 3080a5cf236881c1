"""A portal in Python. pip install -r requirements.txt, then:
FACTEUR_URL=http://127.0.0.1:3000 FACTEUR_KEY_FILE=portal.key flask --app portal run --port 4000
"""
import os

from flask import Flask, request

from facteur_token import facteur_token

app = Flask(__name__)
FACTEUR = os.environ["FACTEUR_URL"]
# The signed-in user, from your own session.
USER = {"id": 7, "name": "Claire Martin", "email": "claire@bakery.example", "shop": {"id": 42, "name": "Martin Bakery"}}


def form(target):
    return f"""<form method="post" action="{FACTEUR}/session" target="{target}">
      <input type="hidden" name="token" value="{facteur_token(USER)}"><button>Email settings</button></form>
      <script>document.forms[0].submit()</script>"""


@app.get("/")
def home():
    return '<a href="/open">In a page</a> <a href="/frame">In a frame</a> <a href="/element">As an element</a>'


@app.get("/open")
def open_page():
    return form("_self")


@app.get("/frame")
def frame():
    return '<iframe name="facteur" title="Email settings" width="100%" height="900"></iframe>' + form("facteur")


@app.get("/element")
def element():
    return f"""<script src="{FACTEUR}/embed.js" async></script>
      <smtp-configurator token-url="/facteur-token">Loading…</smtp-configurator>"""


@app.post("/facteur-token")
def token():
    return facteur_token(USER, request.form.get("challenge")), {"content-type": "text/plain"}


@app.after_request
def fresh(response):
    response.headers["cache-control"] = "no-store"
    return response
