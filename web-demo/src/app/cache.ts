// What the page remembers of the graph: entities by their keys, lists page after page.
import { InMemoryCache } from "@apollo/client";

interface Pages {
  nodes?: unknown[];
  pageInfo?: { endCursor?: string | null };
}

/** Page after page of one list, for fields that give `nodes` and `pageInfo`. */
function pages(keyArgs: string[]) {
  return {
    keyArgs,
    merge(
      existing: Pages | undefined,
      incoming: Pages | null,
      { args }: { args: Record<string, unknown> | null },
    ) {
      if (!incoming || !existing) return incoming;
      const merged = { ...existing, ...incoming };
      if (!args?.after) return merged;
      // The list has begun anew, or has this page already: at its end it would leave a gap, or stand there twice.
      if (existing.pageInfo && existing.pageInfo.endCursor !== args.after) return existing;
      return { ...merged, nodes: [...(existing.nodes ?? []), ...(incoming.nodes ?? [])] };
    },
  };
}

export function makeCache(): InMemoryCache {
  return new InMemoryCache({
    typePolicies: {
      Query: {
        fields: {
          products: pages(["filter", "sort"]),
          // Staff's list of all orders.
          orders: pages(["filter"]),
          coupons: pages([]),
          deadNotificationMails: pages([]),
          webhookEndpoints: pages([]),
          order: {
            read: (seen, { args, toReference }) => seen ?? toReference({ __typename: "Order", id: args?.id }),
          },
        },
      },
      User: {
        fields: { orders: pages([]), notifications: pages([]), notificationPreferences: { merge: false } },
      },
      Coupon: { keyFields: ["code"] },
      // Parts of one value, asked for by different operations.
      Product: { fields: { variants: { merge: false }, reviews: pages(["sort"]) } },
      WebhookEndpoint: { fields: { deliveries: pages(["state"]) } },
      Order: { fields: { timeline: { merge: false } } },
    },
  });
}
