/**
 * `POST /graphql`: the endpoint that the gateway calls, after the GraphQL-over-HTTP specification, with the same
 * answers as crates/graphql-kit gives: JSON only, one operation per request, no GET, no batches.
 */

import { SpanKind, SpanStatusCode } from "@opentelemetry/api";
import {
  type DocumentNode,
  execute,
  type FormattedExecutionResult,
  GraphQLError,
  type GraphQLSchema,
  parse,
  validate,
} from "graphql";
import { z } from "zod";
import { AuthError } from "../auth/token.ts";
import type { CurrentUser, UserVerifier } from "../auth/users.ts";
import type { Address, Env } from "../env.ts";
import { text } from "../env.ts";
import { parseJson } from "../json.ts";
import { logOf } from "../log.ts";
import { operationSeconds, operations, took } from "../metrics.ts";
import { refused } from "../refusal.ts";
import { correlationId } from "../scope.ts";
import { type Answer, json, type Listener, type Request } from "../serve.ts";
import { inSpan } from "../telemetry.ts";
import { addressOf, type Caller, whoOf } from "./caller.ts";
import { type Checked, check, scan, type Variables } from "./document.ts";
import { ApiError, statusOf } from "./error.ts";
import { GatewayKeys } from "./gateway.ts";
import { DEVELOPMENT, PRODUCTION, parseRates, type RateLimits, type Rates } from "./rates.ts";

const MAX_BODY_BYTES = 256 * 1024;
const GRAPHQL = "application/graphql-response+json";
const JSON_TYPE = "application/json";
/** The gateway sends the same few documents again and again. */
const MAX_DOCUMENTS = 500;
/** Clients choose operation names, so only the first so many become labels of their own. */
const MAX_NAMES = 200;
const MAX_NAME_LEN = 80;

const log = logOf("graphql");

/** What the endpoint takes from the environment. */
export interface HttpSettings {
  readonly gatewayKeys: GatewayKeys;
  /** `MERCATO_ENV` is not `development`. */
  readonly production: boolean;
  readonly rates: Rates;
}

/** Reads `GATEWAY_KEY`, `MERCATO_ENV` and `API_RATES`. */
export function httpSettings(env: Env): HttpSettings | undefined {
  const gatewayKeys = GatewayKeys.fromEnv(env);
  const production = env.optional("MERCATO_ENV", "String", text, "production") !== "development";
  const rates = env.optional("API_RATES", "Rates", parseRates, production ? PRODUCTION : DEVELOPMENT);
  return gatewayKeys === undefined || rates === undefined ? undefined : { gatewayKeys, production, rates };
}

/** What answers, and for whom. */
export interface Endpoint<C> {
  readonly schema: GraphQLSchema;
  readonly users: UserVerifier;
  readonly settings: HttpSettings;
  readonly limits: RateLimits | undefined;
  /** What the resolvers of one operation share, made afresh for each: nothing is cached across requests. */
  readonly contextOf: (caller: Caller) => C;
}

type Format = typeof GRAPHQL | typeof JSON_TYPE;
type Failure = { readonly message: string; readonly extensions?: Readonly<Record<string, unknown>> };

const Parameters = z.object({
  query: z.string(),
  operationName: z.string().nullish(),
  variables: z.record(z.string(), z.unknown()).nullish(),
  extensions: z.record(z.string(), z.unknown()).nullish(),
});

/** The GraphQL listener: for bearers of the gateway key. */
export function graphqlListener<C>(address: Address, endpoint: Endpoint<C>): Listener {
  const documents = new Documents(endpoint.schema);
  return {
    name: "graphql",
    address,
    guard: (request) => endpoint.settings.gatewayKeys.guard(request),
    routes: [
      {
        method: "POST",
        path: "/graphql",
        maxBody: MAX_BODY_BYTES,
        handle: (request) => answer(endpoint, documents, request),
      },
    ],
  };
}

async function answer<C>(endpoint: Endpoint<C>, documents: Documents, request: Request): Promise<Answer> {
  const body = await request.body();
  const format = accepted(request);
  if (format === undefined) return { status: 406, body: `answers ${GRAPHQL} or ${JSON_TYPE}\n` };
  const malformed = (status: number, why: string) =>
    json(status, { errors: [shown(ApiError.badInput(why))] }, format);
  if (!isPlainJson(request)) return malformed(415, "The body must be plain application/json");
  const asked = readBody(body);
  if (typeof asked === "string") return malformed(400, asked);
  const address = addressOf(request);
  try {
    const user = await bearer(endpoint.users, request, address);
    const result = await run(endpoint, documents, asked, { user, address });
    return json(200, { data: result.data ?? null, ...errorsOf(result) }, format);
  } catch (error) {
    if (error instanceof RequestErrors) return refusal(error.failures, format);
    if (error instanceof ApiError) return refusal([error], format);
    throw error;
  }
}

/** A well-formed request that can't run. */
class RequestErrors extends Error {
  readonly failures: readonly Failure[];

  constructor(failures: readonly Failure[]) {
    super("the operation can't run");
    this.failures = failures;
  }
}

function refusal(failures: readonly Failure[], format: Format): Answer {
  const errors = failures.map(shown);
  const first = errors[0]?.extensions;
  const answer = json(format === JSON_TYPE ? 200 : statusOf(first?.code), { errors }, format);
  const retry = first?.retryAfterSeconds;
  return retry === undefined
    ? answer
    : { ...answer, headers: { ...answer.headers, "retry-after": String(retry) } };
}

interface Asked {
  readonly query: string;
  readonly operationName: string | undefined;
  readonly variables: Variables;
}

/** One request; a text says what is wrong with the body. */
function readBody(bytes: Buffer): Asked | string {
  let body: unknown;
  try {
    body = parseJson(bytes);
  } catch {
    return "The body is not JSON";
  }
  if (Array.isArray(body)) return "Batches are not accepted: send one operation per request";
  const read = Parameters.safeParse(body);
  if (!read.success) {
    return "The body must be an object with a string query, an object variables and a string operationName";
  }
  const { query, operationName, variables } = read.data;
  return { query, operationName: operationName || undefined, variables: variables ?? {} };
}

/** The user of the bearer token; none at all is an anonymous shopper, a bad one is refused. */
async function bearer(
  users: UserVerifier,
  request: Request,
  address: string | undefined,
): Promise<CurrentUser | undefined> {
  const given = request.all("authorization");
  if (given.length === 0) return undefined;
  try {
    if (given.length > 1) throw new AuthError("several tokens");
    const token = /^bearer +(\S+)\s*$/i.exec(given[0] ?? "")?.[1];
    if (token === undefined) throw new AuthError("not a bearer token");
    return await users.verify(token);
  } catch (error) {
    if (!(error instanceof AuthError)) throw error;
    if (error.unavailable) throw ApiError.unavailable("Sign-in");
    refused("user token", whoOf({ user: undefined, address }), "/graphql", "UNAUTHENTICATED", error.message);
    throw new ApiError("UNAUTHENTICATED", "The access token is not valid");
  }
}

/** Runs one operation and counts it. */
async function run<C>(
  endpoint: Endpoint<C>,
  documents: Documents,
  asked: Asked,
  caller: Caller,
): Promise<FormattedExecutionResult> {
  const begun = performance.now();
  const { document, checked } = admitDocument(endpoint, documents, asked, caller);
  const kind = checked.type;
  if (kind === "subscription") throw ApiError.badInput("Subscriptions are served at /graphql/ws");
  const wait = await endpoint.limits?.admit(caller, kind, kind === "mutation" ? checked.roots : 1);
  if (wait !== undefined) {
    count(checked, "rejected");
    const error = ApiError.rateLimited(wait);
    refused("limit", whoOf(caller), checked.name, error.code, error.message);
    throw error;
  }
  const { schema } = endpoint;
  const attributes = { operation: checked.name, kind };
  const result = await inSpan(`${kind} ${checked.name}`, SpanKind.INTERNAL, attributes, async (span) => {
    const outcome = await execute({
      schema,
      document,
      variableValues: asked.variables,
      ...(asked.operationName === undefined ? {} : { operationName: asked.operationName }),
      contextValue: endpoint.contextOf(caller),
    });
    if (outcome.errors !== undefined) span.setStatus({ code: SpanStatusCode.ERROR });
    took(operationSeconds, { type: kind }, begun);
    return outcome;
  });
  note(result.errors ?? [], caller, checked.name);
  count(checked, outcomeOf(result.errors ?? []));
  // It never began: a variable could not be read.
  if (!("data" in result)) throw new RequestErrors(result.errors ?? []);
  return result as FormattedExecutionResult;
}

function admitDocument<C>(
  { settings }: Endpoint<C>,
  documents: Documents,
  asked: Asked,
  caller: Caller,
): { document: DocumentNode; checked: Checked } {
  const name = (asked.operationName ?? "anonymous").slice(0, MAX_NAME_LEN);
  const refuse = (code: string, why: string) => {
    operations.inc({ operation: "", outcome: "refused", type: "unknown" });
    refused("document", whoOf(caller), name, code, why);
  };
  try {
    const document = documents.parsed(asked.query);
    const checked = check(document, asked.operationName, asked.variables, !settings.production);
    documents.validated(asked.query, document);
    return { document, checked };
  } catch (error) {
    // Only our own words say why: others' quote the document.
    if (error instanceof ApiError) refuse(error.code, error.message);
    else if (error instanceof RequestErrors)
      refuse("BAD_USER_INPUT", "it is no document that fits the schema");
    throw error;
  }
}

/** Documents that were parsed and found valid, the least recently used of them forgotten. */
class Documents {
  readonly #schema: GraphQLSchema;
  readonly #valid = new Map<string, DocumentNode>();

  constructor(schema: GraphQLSchema) {
    this.#schema = schema;
  }

  parsed(query: string): DocumentNode {
    const known = this.#valid.get(query);
    if (known !== undefined) {
      this.#valid.delete(query);
      this.#valid.set(query, known);
      return known;
    }
    scan(query);
    try {
      return parse(query, { noLocation: false });
    } catch (error) {
      throw error instanceof GraphQLError ? new RequestErrors([error]) : error;
    }
  }

  validated(query: string, document: DocumentNode): void {
    if (this.#valid.has(query)) return;
    const errors = validate(this.#schema, document, undefined, { maxErrors: 10 });
    if (errors.length > 0) throw new RequestErrors(errors.map(withoutSuggestion));
    this.#valid.set(query, document);
    const [oldest] = this.#valid.keys();
    if (this.#valid.size > MAX_DOCUMENTS && oldest !== undefined) this.#valid.delete(oldest);
  }
}

/** A name that nearly fits would tell of fields that a caller need not know. */
function withoutSuggestion(error: GraphQLError): Failure {
  const message = error.message.replace(/ Did you mean [\s\S]+\?$/, "");
  return { ...error.toJSON(), message };
}

/** What leaves of errors: those with a code keep their text, any other is logged and masked. */
function errorsOf(result: FormattedExecutionResult): { errors?: Failure[] } {
  const errors = result.errors as unknown as readonly GraphQLError[] | undefined;
  if (errors === undefined || errors.length === 0) return {};
  return {
    errors: errors.map((error) => {
      const form = error.toJSON();
      if (error.extensions.code !== undefined) return shown(form);
      if (error.message.startsWith("The _entities resolver tried to load an entity for type")) {
        return shown({ ...form, message: "Entity not found.", extensions: { code: "BAD_USER_INPUT" } });
      }
      log.error({ error: error.message, path: error.path?.join(".") }, "an error without a code was masked");
      return shown({ ...form, message: "Internal error", extensions: { code: "INTERNAL" } });
    }),
  };
}

/** An error as it is sent, with its code and the correlation id. */
function shown(failure: Failure): Failure & { extensions: Record<string, unknown> } {
  const { message, extensions } = failure;
  const form = failure instanceof GraphQLError ? failure.toJSON() : failure instanceof Error ? {} : failure;
  const id = correlationId();
  return {
    ...form,
    message,
    extensions: { code: "BAD_USER_INPUT", ...extensions, ...(id === undefined ? {} : { correlationId: id }) },
  };
}

/** Notes the refusals of an operation that ran, each code once. */
function note(errors: readonly GraphQLError[], caller: Caller, operation: string): void {
  const seen = new Set<unknown>();
  for (const error of errors) {
    const { code } = error.extensions;
    if ((code !== "UNAUTHENTICATED" && code !== "FORBIDDEN") || seen.has(code)) continue;
    seen.add(code);
    const fields = (error.path ?? []).filter((part) => typeof part === "string");
    const place = [operation.slice(0, MAX_NAME_LEN), ...fields].join(".");
    refused("role", whoOf(caller), place, code, error.message);
  }
}

/** `ok`, `rejected` when all that is wrong is the client's, `error` when something of ours failed. */
function outcomeOf(errors: readonly GraphQLError[]): "ok" | "rejected" | "error" {
  if (errors.length === 0) return "ok";
  const isOurs = ({ extensions: { code }, path }: GraphQLError) =>
    code === undefined ? path !== undefined : code === "INTERNAL" || code === "UNAVAILABLE";
  return errors.some(isOurs) ? "error" : "rejected";
}

const names = new Set<string>();

function count(checked: Checked, outcome: string): void {
  const { name } = checked;
  if (names.size < MAX_NAMES && name.length <= MAX_NAME_LEN) names.add(name);
  operations.inc({ operation: names.has(name) ? name : "other", outcome, type: checked.type });
}

/** The format the client likes best; without a wish, JSON. */
function accepted(request: Request): Format | undefined {
  const given = request.all("accept");
  if (given.length === 0) return JSON_TYPE;
  let best: { weight: number; format: Format } | undefined;
  for (const range of given.flatMap((value) => value.split(","))) {
    const [media = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    const format: Format | undefined =
      media === GRAPHQL
        ? GRAPHQL
        : [JSON_TYPE, "application/*", "*/*"].includes(media)
          ? JSON_TYPE
          : undefined;
    if (format === undefined) continue;
    const q = parameters.find((part) => part.startsWith("q="));
    const weight = q === undefined ? 1 : Number(q.slice(2)) || 0;
    if (weight > 0 && (best === undefined || weight > best.weight)) best = { weight, format };
  }
  return best?.format;
}

/** Whether the body is JSON in UTF-8 and not compressed. This also keeps out forms that a foreign page could send. */
function isPlainJson(request: Request): boolean {
  const [media = "", ...parameters] = (request.headers["content-type"] ?? "")
    .split(";")
    .map((part) => part.trim().toLowerCase());
  const utf8 = parameters.every((part) => !part.startsWith("charset=") || /^charset="?utf-8"?$/.test(part));
  const coding = request.headers["content-encoding"];
  return media === JSON_TYPE && utf8 && (coding === undefined || coding === "identity");
}
