"""A real provider of identities (Authlib), whose word can be made false in one way at a time.

    python -m tests.planner.serving.openid_provider REDIRECT...

It prints its port, and knows everybody by the name that they write into its form.
"""

import hashlib
import hmac
import json
import sys
import time
from base64 import urlsafe_b64encode
from html import escape
from types import SimpleNamespace

from authlib.integrations.flask_oauth2 import AuthorizationServer, ResourceProtector, current_token
from authlib.oauth2.rfc6749 import ClientMixin
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc6750 import BearerTokenValidator
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core.grants import OpenIDCode
from flask import Flask, Response, jsonify, request
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.serving import WSGIRequestHandler, make_server

KEY, SECRET = "planner", "the application's own secret ÷ 1"
KID = "2026"
OWN, STRANGE = (
    RSAKey.generate_key(2048, {"kid": KID, "use": "sig"}, auto_kid=False) for _ in range(2)
)
CODES, TOKENS = {}, {}
FALSE = {}
"""How it is false now."""
SEEN = []
"""Codes, tokens and states that it has dealt with."""

app = Flask(__name__)


class Client(ClientMixin):
    """The desk."""

    def get_client_id(self):
        return KEY

    def get_allowed_scope(self, scope):
        return scope or ""

    def check_redirect_uri(self, redirect_uri):
        return redirect_uri in sys.argv[1:]

    def check_client_secret(self, client_secret):
        return client_secret == SECRET

    def check_endpoint_auth_method(self, method, _endpoint):
        return method in {"client_secret_basic", "client_secret_post"}

    def check_response_type(self, response_type):
        return response_type == "code"

    def check_grant_type(self, grant_type):
        return grant_type == "authorization_code"


class Code(SimpleNamespace):
    """A code, good for one minute and once."""

    def get_redirect_uri(self):
        return self.redirect_uri

    def get_scope(self):
        return self.scope

    def get_nonce(self):
        return self.nonce

    def get_auth_time(self):
        return None

    get_acr = get_amr = get_auth_time


class Token(SimpleNamespace):
    """A token of access."""

    def is_expired(self):
        return False

    is_revoked = is_expired

    def get_scope(self):
        return getattr(self, "scope", "")


class CodeGrant(AuthorizationCodeGrant):
    """Changes codes for tokens."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post")

    def save_authorization_code(self, code, request):
        told = request.payload.data
        CODES[code] = Code(
            code=code,
            redirect_uri=request.payload.redirect_uri,
            scope=request.payload.scope,
            nonce=told.get("nonce"),
            code_challenge=told.get("code_challenge"),
            code_challenge_method=told.get("code_challenge_method"),
            user=request.user,
        )
        SEEN.extend(value for value in (code, told.get("state"), told.get("nonce")) if value)

    def query_authorization_code(self, code, _client):
        return CODES.get(code)

    def delete_authorization_code(self, authorization_code):
        CODES.pop(authorization_code.code)

    def authenticate_user(self, authorization_code):
        return authorization_code.user


class IdToken(OpenIDCode):
    """Says who somebody is."""

    def exists_nonce(self, *_):
        return False

    def resolve_client_private_key(self, _client):
        return OWN

    def get_client_claims(self, _client):
        return {"iss": issuer(), "aud": [KEY]}

    def get_encode_header(self, _client):
        return {"alg": "RS256", "kid": KID}

    def generate_user_info(self, user, _scope):
        if FALSE.get("bare"):
            return {"sub": user.id}
        return {"sub": user.id, "preferred_username": user.name, "email": user.name + "@x.example"}

    def encode_id_token(self, token, request):
        true = super().encode_id_token(token, request)
        said = false_token(true) if {"claims", "moments", "signed"} & set(FALSE) else true
        SEEN.append(said)
        return said


def false_token(true):
    """Say something else, or sign it in another way."""
    claims = {**jwt.decode(true, OWN).claims, **FALSE.get("claims", {})}
    claims |= {name: time.time() + much for name, much in FALSE.get("moments", {}).items()}
    claims = {name: value for name, value in claims.items() if value is not None}
    signed = FALSE.get("signed", "own")
    header = {"alg": "RS256", "kid": KID}
    keys = {"own": OWN, "stranger": STRANGE}
    if signed in keys:
        return jwt.encode(header, claims, keys[signed])
    if signed == "unknown":
        return jwt.encode({**header, "kid": "1999"}, claims, STRANGE)
    parts = [{**header, "alg": "none" if signed == "none" else "HS256"}, claims]
    said = ".".join(plain(json.dumps(part).encode()) for part in parts)
    if signed == "none":
        return said + "."
    # With what everybody knows: the public key.
    return said + "." + plain(hmac.digest(OWN.as_pem(private=False), said.encode(), hashlib.sha256))


def plain(said):
    return urlsafe_b64encode(said).rstrip(b"=").decode()


def save_token(token, request):
    TOKENS[token["access_token"]] = Token(**token, user=request.user)
    SEEN.append(token["access_token"])


def issuer():
    return f"http://127.0.0.1:{PORT}/realms/office"


class Bearers(BearerTokenValidator):
    """Knows tokens of access."""

    def authenticate_token(self, token_string):
        return TOKENS.get(token_string)


server = AuthorizationServer(app, lambda key: Client() if key == KEY else None, save_token)
server.register_grant(CodeGrant, [IdToken(), CodeChallenge(required=True)])
resource = ResourceProtector()
resource.register_token_validator(Bearers())


def spoilt():
    """Answer falsely where that is wanted; None where it is not."""
    ways = {
        "error": lambda: Response("out of order", 500),
        "nonsense": lambda: Response("<html>no JSON</html>", 200),
        "list": lambda: Response("[]", 200),
        "enormous": lambda: Response(iter([b"x" * 65536] * 10_000), 200),
        "elsewhere": lambda: Response("", 302, {"Location": "http://127.0.0.1:1/"}),
        "refused": lambda: Response(json.dumps({"error": "a story with " + SECRET}), 400),
    }
    way = FALSE.get(request.path.rsplit("/", 1)[-1])
    if way == "slow":
        time.sleep(FALSE["seconds"])
    return ways[way]() if way in ways else None


app.before_request(spoilt)


@app.get("/realms/office/.well-known/openid-configuration")
def openid_configuration():
    here = issuer()
    told = {
        "issuer": here,
        "authorization_endpoint": here + "/authorize?tenant=office",
        "token_endpoint": here + "/token",
        "userinfo_endpoint": here + "/userinfo",
        "end_session_endpoint": here + "/leave",
        "jwks_uri": here + "/keys",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        **FALSE.get("document", {}),
    }
    return jsonify(told)


@app.get("/realms/office/keys")
def keys():
    public = [OWN.as_dict(private=False)]
    if "changed" in FALSE:
        public.append({**STRANGE.as_dict(private=False), "kid": "1999"})
    return jsonify(keys=public)


@app.get("/realms/office/authorize")
def form():
    server.get_consent_grant(end_user=None)
    return (
        "<!DOCTYPE html><title>Office</title><form method='post'><h1>Office sign-in</h1>"
        f"<p>for {escape(request.args['client_id'])}</p>"
        "<input name='user' id='user'><button id='enter'>Enter</button></form>"
    )


@app.post("/realms/office/authorize")
def authorize():
    name = request.form["user"]
    user = SimpleNamespace(id="id-of-" + name, name=name) if name else None
    grant = server.get_consent_grant(end_user=user)
    answer = server.create_authorization_response(grant_user=user, grant=grant)
    if "issuer" in FALSE:
        answer.headers["Location"] += "&iss=" + FALSE["issuer"]
    return answer


@app.post("/realms/office/token")
def token():
    return server.create_token_response()


@app.get("/realms/office/userinfo")
@resource(None)
def userinfo():
    user = current_token.user
    told = {"sub": user.id, "preferred_username": user.name, "login": user.name, "number": 7}
    return jsonify({**told, **FALSE.get("user", {})})


@app.put("/control")
def control():
    FALSE.clear()
    FALSE.update(request.get_json())
    return jsonify(SEEN)


class Silent(WSGIRequestHandler):
    """Logs nothing."""

    def log(self, *_):
        pass


if __name__ == "__main__":
    listening = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Silent)
    PORT = listening.server_port
    print(PORT, flush=True)  # noqa: T201 - this is how it is found
    listening.serve_forever()
