/** What review needs to start. */

import { type IdentityConfig, identityConfig } from "./kit/auth/services.ts";
import { type UserConfig, userConfig } from "./kit/auth/users.ts";
import { type Address, address, ConfigError, type Env, type Secret } from "./kit/env.ts";
import { type HttpSettings, httpSettings } from "./kit/graphql/http.ts";

/** The configuration; every variable is named at its field. */
export interface Config {
  /** `GRAPHQL_ADDR`: for the router alone. */
  readonly graphql: Address;
  /** `INTERNAL_ADDR`: for other services. */
  readonly internal: Address;
  /** `GATEWAY_KEY`, `MERCATO_ENV` and `API_RATES`. */
  readonly http: HttpSettings;
  /** `JWKS_URL`, `JWT_ISSUER` and `JWT_AUDIENCE`. */
  readonly users: UserConfig;
  /** `SERVICE_KEY_FILE` and `SERVICE_KEYS_DIR`. */
  readonly identity: IdentityConfig;
  /** `DATABASE_URL`. */
  readonly databaseUrl: Secret;
  /** `AMQP_URL`. */
  readonly amqpUrl: Secret;
  /** `REDIS_URL`: API limits; may be down. */
  readonly redisUrl: Secret;
}

/** Reads the environment; all faults at once. */
export function configFrom(env: Env): Config {
  const graphql = env.required("GRAPHQL_ADDR", "SocketAddr", address);
  const internal = env.required("INTERNAL_ADDR", "SocketAddr", address);
  const http = httpSettings(env);
  const users = userConfig(env);
  const identity = identityConfig(env);
  const databaseUrl = env.secret("DATABASE_URL");
  const amqpUrl = env.secret("AMQP_URL");
  const redisUrl = env.secret("REDIS_URL");
  env.finish();
  if (!graphql || !internal || !http || !users || !identity || !databaseUrl || !amqpUrl || !redisUrl) {
    throw new ConfigError(["a value is missing"]);
  }
  return { graphql, internal, http, users, identity, databaseUrl, amqpUrl, redisUrl };
}
