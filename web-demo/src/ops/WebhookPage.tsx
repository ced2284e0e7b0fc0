// One endpoint: what can be done with it, and what was sent to it.
import { useMutation, useQuery } from "@apollo/client/react";
import {
  Anchor,
  Badge,
  Button,
  Card,
  Code,
  Group,
  SegmentedControl,
  Skeleton,
  Stack,
  Text,
  Title,
} from "@mantine/core";
import { IconWebhook } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { Empty } from "../components/Empty";
import { notifyFault, notifyRefused } from "../components/failure";
import { Problem } from "../components/Problem";
import { ShowMore } from "../components/ShowMore";
import { useNextPage } from "../components/useNextPage";
import { usePageTitle } from "../components/usePageTitle";
import { formatDateTime } from "../lib/dates";
import { newId } from "../lib/ids";
import {
  DeleteWebhookEndpointDocument,
  RotateWebhookSecretDocument,
  SendTestWebhookDocument,
  UpdateWebhookEndpointDocument,
  WebhookDeliveriesDocument,
  type WebhookDeliveryState,
  type WebhookErrorCode,
} from "./documents";
import classes from "./Ops.module.css";
import { StaffAction } from "./StaffAction";
import { WebhookDeliveries } from "./WebhookDeliveries";
import { SecretDialog, WebhookForm } from "./WebhookForm";
import { deliveryWords, type Endpoint, eventTypeWords, standing, webhookWords } from "./webhooks";

const PAGE = 25;
/** What is on its way gets there within seconds, as a rule. */
const LOOK_AGAIN_MS = 3_000;
const ALL = "ALL";
const STATES: WebhookDeliveryState[] = ["PENDING", "DELIVERED", "DEAD"];
const words = (code: WebhookErrorCode) => webhookWords[code];

function SendTest({ id, onDone }: { id: string; onDone(): void }) {
  const [send, { loading }] = useMutation(SendTestWebhookDocument);
  const run = async () => {
    try {
      const { data } = await send({ variables: { input: { id, idempotencyKey: newId() } } });
      const refusal = data?.sendTestWebhook.userErrors[0];
      if (refusal) notifyRefused(words(refusal.code));
      else onDone();
    } catch (error) {
      notifyFault(error);
    }
  };
  return (
    <Button size="xs" loading={loading} onClick={() => void run()}>
      Send a test
    </Button>
  );
}

interface ActionsProps {
  endpoint: Endpoint;
  onSecret(secret: string | null): void;
  onSent(): void;
}

function Actions({ endpoint, onSecret, onSent }: ActionsProps) {
  const navigate = useNavigate();
  const [changing, setChanging] = useState(false);
  const [update] = useMutation(UpdateWebhookEndpointDocument);
  const [rotate] = useMutation(RotateWebhookSecretDocument);
  const [forget] = useMutation(DeleteWebhookEndpointDocument);
  const { id, enabled } = endpoint;
  return (
    <Group gap="xs">
      <SendTest id={id} onDone={onSent} />
      <Button size="xs" variant="light" onClick={() => setChanging(true)}>
        Change
      </Button>
      <StaffAction
        label={enabled ? "Switch off" : "Switch on"}
        title={enabled ? "Switch this endpoint off?" : "Switch this endpoint on?"}
        words={words}
        run={async () =>
          (await update({ variables: { input: { id, enabled: !enabled } } })).data?.updateWebhookEndpoint
            .userErrors
        }
        onDone={onSent}
      >
        {enabled
          ? "Nothing is sent from now on. What waits is sent once it is on again; what happens meanwhile is not."
          : "What waits for it is sent at once. What happened meanwhile is not."}
      </StaffAction>
      <StaffAction
        label="New secret"
        title="Give it a new secret?"
        words={words}
        run={async ({ key }) => {
          const { data } = await rotate({ variables: { input: { id, idempotencyKey: key } } });
          const made = data?.rotateWebhookSecret;
          if (made?.userErrors.length === 0) onSecret(made.secret ?? null);
          return made?.userErrors;
        }}
      >
        You see the new one once. The old one signs beside it for 24 hours, so that the receiver can change
        over.
      </StaffAction>
      <StaffAction
        label="Delete"
        title="Delete this endpoint?"
        color="red"
        words={words}
        run={async () =>
          (await forget({ variables: { input: { id } } })).data?.deleteWebhookEndpoint.userErrors
        }
        onDone={() => void navigate("/ops/webhooks")}
      >
        Its secrets go with it, and all that was sent to it or is on its way. This can't be undone.
      </StaffAction>
      {changing && (
        <WebhookForm
          endpoint={endpoint}
          onClose={() => setChanging(false)}
          onDone={() => setChanging(false)}
        />
      )}
    </Group>
  );
}

function Head({ endpoint, children }: { endpoint: Endpoint; children: ReactNode }) {
  const { label, color, why } = standing(endpoint);
  return (
    <Card withBorder radius="lg" padding="md">
      <Stack gap="sm">
        <Group justify="space-between" align="flex-start" wrap="nowrap">
          <div>
            <Title order={2} size="h4" className={classes.long ?? ""}>
              {endpoint.url}
            </Title>
            {endpoint.description && <Text size="sm">{endpoint.description}</Text>}
          </div>
          <Badge
            color={color}
            variant="light"
            tt="none"
            style={{ flexShrink: 0 }}
            data-enabled={endpoint.enabled}
          >
            {label}
          </Badge>
        </Group>
        {why && <Code block>{why}</Code>}
        <Text size="sm" c="dimmed">
          Told when: {endpoint.eventTypes.map((type) => eventTypeWords[type].toLowerCase()).join("; ")}. Added{" "}
          {formatDateTime(endpoint.createdAt)}.
        </Text>
        {children}
      </Stack>
    </Card>
  );
}

export function WebhookPage() {
  usePageTitle("Webhook");
  const { id = "" } = useParams();
  const [state, setState] = useState<WebhookDeliveryState | null>(null);
  const [secret, setSecret] = useState<{ value: string | null } | null>(null);
  // Read anew, a list begins with its first page: who has gone on to the next ones is left in peace.
  const [isLong, setIsLong] = useState(false);
  const variables = { id, first: PAGE, after: null, state };
  const more = useNextPage(WebhookDeliveriesDocument, variables);
  const { data, previousData, error, loading, refetch } = useQuery(WebhookDeliveriesDocument, {
    variables,
    fetchPolicy: "network-only",
    nextFetchPolicy: "cache-first",
    pollInterval: isLong ? 0 : LOOK_AGAIN_MS,
    skipPollAttempt: () => document.hidden,
  });
  const again = () => void refetch().catch(() => null);
  const endpoint = (data ?? previousData)?.webhookEndpoint;
  const deliveries = data?.webhookEndpoint?.deliveries;
  const long = (deliveries?.nodes.length ?? 0) > PAGE;
  if (long !== isLong) setIsLong(long);

  if (!endpoint) {
    if (loading) return <Skeleton height={320} radius="lg" aria-busy />;
    if (error) return <Problem error={error} onRetry={again} />;
    return (
      <Empty
        icon={<IconWebhook size={36} />}
        title="There is no such endpoint"
        action={
          <Button component={Link} to="/ops/webhooks">
            To all endpoints
          </Button>
        }
      >
        Somebody may have deleted it.
      </Empty>
    );
  }
  return (
    <Stack gap="md">
      <Anchor component={Link} to="/ops/webhooks" size="sm">
        All endpoints
      </Anchor>
      <Head endpoint={endpoint as Endpoint}>
        <Actions endpoint={endpoint as Endpoint} onSecret={(value) => setSecret({ value })} onSent={again} />
      </Head>
      <Card withBorder radius="lg" padding="md" component="section" aria-label="Deliveries">
        <Group justify="space-between" mb="sm">
          <Title order={2} size="h6">
            Deliveries
          </Title>
          <SegmentedControl
            size="xs"
            aria-label="Which deliveries"
            value={state ?? ALL}
            onChange={(value) => setState(value === ALL ? null : (value as WebhookDeliveryState))}
            data={[
              { value: ALL, label: "All" },
              ...STATES.map((value) => ({ value, label: deliveryWords[value].label })),
            ]}
          />
        </Group>
        {!deliveries && error && !loading && <Problem error={error} onRetry={again} />}
        {!deliveries && loading && <Skeleton height={200} aria-busy />}
        {deliveries && <WebhookDeliveries deliveries={deliveries.nodes} onSent={again} />}
        <ShowMore more={more} page={deliveries?.pageInfo} />
      </Card>
      {secret && <SecretDialog secret={secret.value} onClose={() => setSecret(null)} />}
    </Stack>
  );
}
