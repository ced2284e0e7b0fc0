// An endpoint made or changed, and its secret, which is shown this once.
import { useMutation } from "@apollo/client/react";
import {
  Alert,
  Button,
  Checkbox,
  Code,
  CopyButton,
  Group,
  Modal,
  Stack,
  Text,
  TextInput,
} from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { type FormEvent, useRef, useState } from "react";
import { Problem } from "../components/Problem";
import { newId } from "../lib/ids";
import {
  CreateWebhookEndpointDocument,
  UpdateWebhookEndpointDocument,
  type UpdateWebhookEndpointMutation,
} from "./documents";
import classes from "./Ops.module.css";
import {
  EMPTY_FORM,
  type Endpoint,
  type EndpointForm,
  type EndpointMistakes,
  EVENT_TYPES,
  eventTypeWords,
  readForm,
  webhookWords,
} from "./webhooks";

type Outcome = Pick<UpdateWebhookEndpointMutation["updateWebhookEndpoint"], "endpoint" | "userErrors">;

interface WebhookFormProps {
  /** The one to change; absent for a new one. */
  endpoint?: Endpoint;
  onClose(): void;
  /** `secret` for a new one: null if it can't be shown any more. */
  onDone(endpoint: Endpoint, secret: string | null): void;
}

export function WebhookForm({ endpoint, onClose, onDone }: WebhookFormProps) {
  const [create, making] = useMutation(CreateWebhookEndpointDocument);
  const [update, changing] = useMutation(UpdateWebhookEndpointDocument);
  const [form, setForm] = useState<EndpointForm>(endpoint ?? EMPTY_FORM);
  const [mistakes, setMistakes] = useState<EndpointMistakes>({});
  const [refused, setRefused] = useState<string | null>(null);
  const [fault, setFault] = useState<unknown>(null);
  // Other content is another request; the same sent twice is one.
  const key = useRef({ of: "", id: "" });
  const put = (change: Partial<EndpointForm>) => {
    setForm((now) => ({ ...now, ...change }));
    setMistakes((now) => Object.fromEntries(Object.entries(now).filter(([name]) => !(name in change))));
  };

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const { input, mistakes } = readForm(form);
    setMistakes(mistakes ?? {});
    setRefused(null);
    setFault(null);
    if (!input) return;
    const of = JSON.stringify(input);
    if (key.current.of !== of) key.current = { of, id: newId() };
    try {
      let secret: string | null = null;
      let outcome: Outcome | undefined;
      if (endpoint) {
        const { data } = await update({ variables: { input: { id: endpoint.id, ...input } } });
        outcome = data?.updateWebhookEndpoint;
      } else {
        const { data } = await create({ variables: { input: { ...input, idempotencyKey: key.current.id } } });
        outcome = data?.createWebhookEndpoint;
        secret = data?.createWebhookEndpoint.secret ?? null;
      }
      const refusal = outcome?.userErrors[0];
      if (refusal?.code === "URL_REFUSED") setMistakes({ url: webhookWords.URL_REFUSED });
      else if (refusal) setRefused(webhookWords[refusal.code]);
      else if (outcome?.endpoint) onDone(outcome.endpoint, secret);
    } catch (error) {
      setFault(error);
    }
  };

  return (
    <Modal
      opened
      onClose={onClose}
      title={endpoint ? "Change the endpoint" : "Add an endpoint"}
      size="lg"
      centered
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <form noValidate onSubmit={(event) => void submit(event)}>
        <Stack>
          <TextInput
            label="Address"
            description="Where events are posted to. It begins with https and can be reached from the internet."
            placeholder="https://example.com/hooks"
            type="url"
            required
            autoComplete="off"
            spellCheck={false}
            data-autofocus
            value={form.url}
            error={mistakes.url}
            onChange={(event) => put({ url: event.currentTarget.value })}
          />
          <TextInput
            label="What it is for"
            maxLength={500}
            value={form.description}
            error={mistakes.description}
            onChange={(event) => put({ description: event.currentTarget.value })}
          />
          <Checkbox.Group
            label="It is told when"
            value={[...form.eventTypes]}
            error={mistakes.eventTypes}
            onChange={(eventTypes) => put({ eventTypes })}
          >
            <Stack gap={8} my={8}>
              {EVENT_TYPES.map((type) => (
                <Checkbox key={type} value={type} label={eventTypeWords[type]} />
              ))}
            </Stack>
          </Checkbox.Group>
          {refused && (
            <Alert color="yellow" role="alert">
              {refused}
            </Alert>
          )}
          {fault !== null && <Problem error={fault} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Leave it
            </Button>
            <Button type="submit" loading={making.loading || changing.loading}>
              {endpoint ? "Change it" : "Add it"}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

/** Closed by its button alone: by a slip the secret would be gone. */
export function SecretDialog({ secret, onClose }: { secret: string | null; onClose(): void }) {
  return (
    <Modal
      opened
      onClose={onClose}
      title="The secret of the endpoint"
      size="lg"
      centered
      withCloseButton={false}
      closeOnClickOutside={false}
      closeOnEscape={false}
    >
      <Stack>
        {secret === null ? (
          <Alert color="yellow" role="alert">
            It can't be shown any more. Give the endpoint a new one.
          </Alert>
        ) : (
          <>
            <Text size="sm">
              Everything that is sent is signed with it, and the receiver checks that. Keep it now: it is
              shown this once.
            </Text>
            <Code block className={classes.secret ?? ""} data-secret>
              {secret}
            </Code>
            <CopyButton value={secret} timeout={2_000}>
              {({ copied, copy }) => (
                <Button
                  variant="light"
                  color={copied ? "teal" : "sea"}
                  leftSection={
                    copied ? <IconCheck size={16} aria-hidden /> : <IconCopy size={16} aria-hidden />
                  }
                  onClick={copy}
                >
                  <span aria-live="polite">{copied ? "Copied" : "Copy the secret"}</span>
                </Button>
              )}
            </CopyButton>
          </>
        )}
        <Group justify="flex-end">
          <Button onClick={onClose}>{secret === null ? "Close" : "I have kept it"}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
