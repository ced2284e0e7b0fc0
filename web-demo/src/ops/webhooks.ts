// Webhooks in words, and an endpoint from what was typed in. Knows no React.
import { newer } from "../lib/errors";
import { open, spelled } from "../lib/words";
import type {
  CreateWebhookEndpointInput,
  WebhookDeliveryPartsFragment,
  WebhookDeliveryState,
  WebhookEndpointPartsFragment,
  WebhookErrorCode,
  WebhookEventType,
} from "./documents";

export type Endpoint = WebhookEndpointPartsFragment;
export type Delivery = WebhookDeliveryPartsFragment;

export const eventTypeWords: Record<WebhookEventType, string> = open(
  {
    ORDER_CREATED: "An order was placed",
    ORDER_STATUS_CHANGED: "An order went a step on",
    REFUND_COMPLETED: "Money went back",
  },
  spelled,
);

/** In the order in which they are offered. */
export const EVENT_TYPES: readonly WebhookEventType[] = [
  "ORDER_CREATED",
  "ORDER_STATUS_CHANGED",
  "REFUND_COMPLETED",
];

const KINDS: Record<string, string> = {
  "order.created": eventTypeWords.ORDER_CREATED,
  "order.status_changed": eventTypeWords.ORDER_STATUS_CHANGED,
  "refund.completed": eventTypeWords.REFUND_COMPLETED,
  "webhook.test": "A test",
};

/** The type in a body in words, whatever its version; one that is not known is its own name. */
export function kindWords(eventType: string): string {
  const name = eventType.replace(/\.v\d+$/, "");
  return Object.hasOwn(KINDS, name) ? (KINDS[name] ?? eventType) : eventType;
}

export const deliveryWords: Record<WebhookDeliveryState, { label: string; color: string }> = open(
  {
    PENDING: { label: "On its way", color: "yellow" },
    DELIVERED: { label: "Delivered", color: "teal" },
    DEAD: { label: "Given up", color: "red" },
  },
  (code) => ({ label: spelled(code), color: "gray" }),
);

export const webhookWords: Record<WebhookErrorCode, string> = open(
  {
    NOT_FOUND: "It is gone: somebody has deleted it. Reload the page.",
    URL_REFUSED:
      "Nothing can be sent to this address. It begins with https, holds no user and no password, and leads to the " +
      "public internet.",
    INVALID_STATE: "It has not ended: it waits, or is being sent at this moment.",
    IDEMPOTENCY_KEY_REUSED: "This was sent before with other content. Close the dialog and try again.",
    IN_PROGRESS: "This is being worked on at this very moment. Try again in a few seconds.",
  },
  newer,
);

export interface EndpointStanding {
  label: string;
  color: string;
  /** Why it stands there, where nobody of ours did it. */
  why: string | null;
}

export function standing({ enabled, disabledReason }: Endpoint): EndpointStanding {
  if (enabled) return { label: "On", color: "teal", why: null };
  if (disabledReason) return { label: "Switched off", color: "red", why: disabledReason };
  return { label: "Off", color: "gray", why: null };
}

/** How the last try ended; null before the first, and where the state says it all. */
export function lastWords({ lastStatus, lastError }: Delivery): string | null {
  if (lastError) return lastError;
  return lastStatus == null ? null : `answered ${lastStatus}`;
}

/** Whether it can be sent again: only what has ended. */
export function hasEnded({ state }: Delivery): boolean {
  return state !== "PENDING";
}

/** The form as it is filled in. */
export interface EndpointForm {
  url: string;
  description: string;
  eventTypes: readonly string[];
}

export const EMPTY_FORM: EndpointForm = { url: "", description: "", eventTypes: EVENT_TYPES };

export type EndpointMistakes = Partial<Record<keyof EndpointForm, string>>;

const MAX_URL = 2048;
const MAX_DESCRIPTION = 500;

function isAddress(text: string): boolean {
  if (text.length > MAX_URL || !URL.canParse(text)) return false;
  return ["https:", "http:"].includes(new URL(text).protocol);
}

/** What the form asks for, or what is wrong with which field. Where an address may lead is the server's to say. */
export function readForm(
  form: EndpointForm,
):
  | { input: Omit<CreateWebhookEndpointInput, "idempotencyKey">; mistakes: null }
  | { input: null; mistakes: EndpointMistakes } {
  const mistakes: EndpointMistakes = {};
  const url = form.url.trim();
  if (!isAddress(url)) mistakes.url = "A whole address, such as https://example.com/hooks.";
  const description = form.description.trim();
  if ([...description].length > MAX_DESCRIPTION) mistakes.description = "At most 500 characters.";
  const eventTypes = EVENT_TYPES.filter((type) => form.eventTypes.includes(type));
  if (eventTypes.length === 0) mistakes.eventTypes = "Choose one at least.";
  return Object.keys(mistakes).length > 0
    ? { input: null, mistakes }
    : { input: { url, description, eventTypes }, mistakes: null };
}
