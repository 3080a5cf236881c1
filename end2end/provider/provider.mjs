// A provider that is not ours: npm's oidc-provider. Its forms are filled in as a person would.
import Provider from "oidc-provider";

export const CLIENT = { id: "facteur", secret: "a secret of the registration" };
export const SCOPES = ["mail.send", "openid", "email", "offline_access"];

/** Starts it on loopback. `address`: who signs in. */
export async function startProvider({ port, redirectUri, address }) {
  const issuer = `http://127.0.0.1:${port}`;
  const provider = new Provider(issuer, {
    clients: [{
      client_id: CLIENT.id,
      client_secret: CLIENT.secret,
      redirect_uris: [redirectUri],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "client_secret_post",
    }],
    scopes: SCOPES,
    claims: { openid: ["sub"], email: ["email", "email_verified"] },
    // The address stands in the ID token.
    conformIdTokenClaims: false,
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, email: address, email_verified: true }) }),
    features: { devInteractions: { enabled: true }, revocation: { enabled: true }, introspection: { enabled: true } },
    pkce: { required: () => true },
    rotateRefreshToken: true,
    ttl: { AccessToken: 60, AuthorizationCode: 60, IdToken: 3600, RefreshToken: 86_400, Grant: 86_400, Interaction: 600, Session: 600 },
    cookies: { keys: ["for tests only"] },
  });
  let refreshes = 0;
  provider.on("grant.success", (context) => (refreshes += context.oidc.params.grant_type === "refresh_token" ? 1 : 0));
  const grants = new Set();
  provider.on("grant.saved", ({ jti }) => grants.add(jti));
  const server = await new Promise((done) => {
    const listening = provider.listen(port, "127.0.0.1", () => done(listening));
  });
  return {
    issuer,
    refreshes: () => refreshes,
    /** Whether a mail server would accept this token. */
    knows: async (token) => {
      const found = await provider.AccessToken.find(token);
      return !!found && !found.isExpired && found.scope.split(" ").includes("mail.send");
    },
    /** As when the owner withdraws the permission. */
    withdraw: async () => {
      for (const grant of grants) await (await provider.Grant.find(grant))?.destroy();
    },
    close: () => (server.close(), server.closeAllConnections()),
  };
}

/** The address that a signed-in person comes back to. */
export async function signInAt(url, person) {
  const cookies = new Map();
  let method = "GET";
  let form;
  for (let steps = 0; steps < 20; steps++) {
    const answer = await fetch(url, {
      method,
      redirect: "manual",
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") },
      body: form && new URLSearchParams(form),
    });
    for (const cookie of answer.headers.getSetCookie()) {
      const [name, value] = cookie.split(";")[0].split("=");
      cookies.set(name, value);
    }
    const onwards = answer.headers.get("location");
    if (onwards) {
      url = new URL(onwards, url).href;
      [method, form] = ["GET", undefined];
      if (url.includes("/oauth/callback/")) return url;
      continue;
    }
    const page = await answer.text();
    const action = /<form[^>]*action="([^"]+)"/.exec(page)?.[1];
    if (!action) throw new Error(`no form at ${url}: ${page.slice(0, 300)}`);
    const prompt = /name="prompt" value="(\w+)"/.exec(page)[1];
    url = new URL(action, url).href;
    [method, form] = ["POST", prompt === "login" ? { prompt, login: person, password: "any" } : { prompt }];
  }
  throw new Error("the provider's pages do not end");
}
