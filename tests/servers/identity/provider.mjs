// An OpenID provider on loopback: node provider.mjs PORT KEYS, where KEYS is a file with a JWK set, the first of which
// signs. Clients: "robot" (client credentials), "web" (public: authorization code with PKCE, device flow) and "hub"
// (confidential: authorization code, for servers that call themselves https://hub.test). What a request
// has as roles (commas between) and tenant is in the token as realm_access.roles, as Keycloak has them, and org.tenant.
// Who signs in as ann.team.other has the roles team and other.

import { readFileSync } from "node:fs";
import { Provider } from "oidc-provider";

const [port, keys] = process.argv.slice(2);
const codes = process.env.DEVICE_CODES !== "no";
const issuer = `http://127.0.0.1:${port}`;

const provider = new Provider(issuer, {
  jwks: JSON.parse(readFileSync(keys, "utf-8")),
  clients: [
    {
      client_id: "robot",
      client_secret: "robot-secret",
      grant_types: ["client_credentials"],
      response_types: [],
      redirect_uris: [],
    },
    {
      client_id: "web",
      token_endpoint_auth_method: "none",
      grant_types: ["authorization_code", ...(codes ? ["urn:ietf:params:oauth:grant-type:device_code"] : [])],
      response_types: ["code"],
      redirect_uris: ["http://127.0.0.1/callback", "http://127.0.0.1/v1/auth/oidc/callback"],
      application_type: "native",
    },
    {
      client_id: "hub",
      client_secret: "hub-secret",
      grant_types: ["authorization_code"],
      response_types: ["code"],
      redirect_uris: ["https://hub.test/v1/auth/oidc/callback", "https://hub.test/below/v1/auth/oidc/callback"],
    },
  ],
  features: {
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: codes },
    devInteractions: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => "urn:codetether",
      useGrantedResource: () => true,
      getResourceServerInfo: (_, resource) => ({
        audience: resource === "urn:codetether" ? "codetether" : resource,
        scope: "api",
        accessTokenFormat: "jwt",
        accessTokenTTL: Number(process.env.TOKEN_TTL ?? 600),
        jwt: { sign: { alg: process.env.ALG ?? "RS256" } },
      }),
    },
  },
  extraTokenClaims: (ctx, token) => {
    const asked = ctx.oidc?.body ?? {};
    const roles = asked.roles?.split(",") ?? token.accountId?.split(".").slice(1);
    return {
      ...(roles ? { realm_access: { roles } } : {}),
      ...(asked.tenant ? { org: { tenant: asked.tenant } } : {}),
    };
  },
  extraParams: ["roles", "tenant"],
  pkce: { required: () => true },
  scopes: ["openid", "profile", "offline_access", "api"],
  cookies: { keys: ["only for tests"] },
  ttl: { Session: 600, Grant: 600, Interaction: 600, DeviceCode: 600, IdToken: 600 },
});

provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
