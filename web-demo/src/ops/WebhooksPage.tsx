// Where the shop's events are sent.
import { useQuery } from "@apollo/client/react";
import { Anchor, Badge, Button, Card, Group, Skeleton, Table, Text } from "@mantine/core";
import { IconWebhook } from "@tabler/icons-react";
import { useState } from "react";
import { Link, useNavigate } from "react-router";
import { Empty } from "../components/Empty";
import { Problem } from "../components/Problem";
import { ShowMore } from "../components/ShowMore";
import { useNextPage } from "../components/useNextPage";
import { usePageTitle } from "../components/usePageTitle";
import { formatDateTime } from "../lib/dates";
import { WebhookEndpointsDocument } from "./documents";
import classes from "./Ops.module.css";
import { SecretDialog, WebhookForm } from "./WebhookForm";
import { type Endpoint, eventTypeWords, standing } from "./webhooks";

const PAGE = 50;

function EndpointRow({ endpoint }: { endpoint: Endpoint }) {
  const { label, color, why } = standing(endpoint);
  return (
    <Table.Tr data-endpoint={endpoint.url}>
      <Table.Td>
        <Anchor
          component={Link}
          to={`/ops/webhooks/${endpoint.id}`}
          size="sm"
          fw={600}
          className={classes.long ?? ""}
        >
          {endpoint.url}
        </Anchor>
        {endpoint.description && (
          <Text size="xs" c="dimmed" className={classes.long ?? ""}>
            {endpoint.description}
          </Text>
        )}
      </Table.Td>
      <Table.Td>
        <Badge color={color} variant="light" tt="none">
          {label}
        </Badge>
        {why && (
          <Text size="xs" c="dimmed" className={classes.long ?? ""}>
            {why}
          </Text>
        )}
      </Table.Td>
      <Table.Td>
        {endpoint.eventTypes.map((type) => (
          <Text key={type} size="sm">
            {eventTypeWords[type]}
          </Text>
        ))}
      </Table.Td>
      <Table.Td>
        <Text size="sm">{formatDateTime(endpoint.createdAt)}</Text>
      </Table.Td>
    </Table.Tr>
  );
}

export function WebhooksPage() {
  usePageTitle("Webhooks");
  const navigate = useNavigate();
  const [adding, setAdding] = useState(false);
  const [made, setMade] = useState<{ id: string; secret: string | null } | null>(null);
  const variables = { first: PAGE, after: null };
  const more = useNextPage(WebhookEndpointsDocument, variables);
  const { data, error, loading, refetch } = useQuery(WebhookEndpointsDocument, {
    variables,
    fetchPolicy: "network-only",
    nextFetchPolicy: "cache-first",
  });
  const endpoints = data?.webhookEndpoints;

  return (
    <Card withBorder radius="lg" padding="md">
      <Group justify="space-between" mb="sm">
        <Text size="sm" c="dimmed">
          What happens in the shop, told to other programs. Each message is signed.
        </Text>
        <Button size="sm" onClick={() => setAdding(true)}>
          Add an endpoint
        </Button>
      </Group>
      {!endpoints && error && !loading && (
        <Problem error={error} onRetry={() => void refetch().catch(() => null)} />
      )}
      {!endpoints && loading && <Skeleton height={260} aria-busy />}
      {endpoints?.nodes.length === 0 && (
        <Empty icon={<IconWebhook size={36} />} title="No endpoints yet">
          Add the address of a program that wants to hear of orders and refunds.
        </Empty>
      )}
      {endpoints && endpoints.nodes.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        <section className={classes.scroll} tabIndex={0} aria-label="Endpoints">
          <Table miw={860} verticalSpacing={8}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Address</Table.Th>
                <Table.Th w={200}>Now</Table.Th>
                <Table.Th w={200}>It is told when</Table.Th>
                <Table.Th w={170}>Added</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {endpoints.nodes.map((endpoint) => (
                <EndpointRow key={endpoint.id} endpoint={endpoint} />
              ))}
            </Table.Tbody>
          </Table>
        </section>
      )}
      <ShowMore more={more} page={endpoints?.pageInfo} />
      {adding && (
        <WebhookForm
          onClose={() => setAdding(false)}
          onDone={({ id }, secret) => {
            setAdding(false);
            setMade({ id, secret });
          }}
        />
      )}
      {made && (
        <SecretDialog secret={made.secret} onClose={() => void navigate(`/ops/webhooks/${made.id}`)} />
      )}
    </Card>
  );
}
