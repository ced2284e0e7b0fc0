// Mails that were given up, why, and sending them again.
import { useMutation, useQuery } from "@apollo/client/react";
import { Anchor, Card, Skeleton, Table, Text } from "@mantine/core";
import { IconMailCheck } from "@tabler/icons-react";
import { Link } from "react-router";
import { Empty } from "../components/Empty";
import { Problem } from "../components/Problem";
import { ShowMore } from "../components/ShowMore";
import { useNextPage } from "../components/useNextPage";
import { usePageTitle } from "../components/usePageTitle";
import { formatDateTime } from "../lib/dates";
import { noticeKindWords } from "../notices/kinds";
import { useSession } from "../session/SessionProvider";
import { DeadMailsDocument, type DeadMailsQuery, RetryMailDocument } from "./documents";
import classes from "./Ops.module.css";
import { SendAgain } from "./SendAgain";
import { attemptWords, mailWords } from "./words";

type Mail = DeadMailsQuery["deadNotificationMails"]["nodes"][number];

const PAGE = 25;
const LOOK_AGAIN_MS = 5_000;

function Again({ mail, onDone }: { mail: Mail; onDone(): void }) {
  const [retry] = useMutation(RetryMailDocument);
  const send = async () => {
    const { data } = await retry({ variables: { input: { mailId: mail.id } } });
    const refusal = data?.retryNotificationMail.userErrors[0];
    return refusal && mailWords[refusal.code];
  };
  return <SendAgain send={send} onDone={onDone} />;
}

function MailRow({ mail, isAdmin, onSent }: { mail: Mail; isAdmin: boolean; onSent(): void }) {
  return (
    <Table.Tr data-mail={mail.id}>
      <Table.Td>
        <Text size="sm">{noticeKindWords[mail.kind]}</Text>
        <Text size="xs" c="dimmed">
          written {formatDateTime(mail.createdAt)}
        </Text>
      </Table.Td>
      <Table.Td>
        {mail.order && (
          <Anchor component={Link} to={`/ops/orders/${mail.order.id}`} size="sm">
            {mail.order.number}
          </Anchor>
        )}
      </Table.Td>
      <Table.Td>
        {mail.endedAt && <Text size="sm">{formatDateTime(mail.endedAt)}</Text>}
        <Text size="xs" c="dimmed">
          {attemptWords(mail.attempts)}
        </Text>
      </Table.Td>
      <Table.Td>
        <Text size="xs" className={classes.long ?? ""} lineClamp={4}>
          {mail.lastError}
        </Text>
      </Table.Td>
      <Table.Td>{isAdmin && <Again mail={mail} onDone={onSent} />}</Table.Td>
    </Table.Tr>
  );
}

export function MailsPage() {
  usePageTitle("Mails given up");
  const { user } = useSession();
  const isAdmin = user?.roles.includes("ADMIN") ?? false;
  const variables = { first: PAGE, after: null };
  const more = useNextPage(DeadMailsDocument, variables);
  const { data, error, loading, refetch } = useQuery(DeadMailsDocument, {
    variables,
    fetchPolicy: "network-only",
    nextFetchPolicy: "cache-first",
    pollInterval: LOOK_AGAIN_MS,
    skipPollAttempt: () => document.hidden,
  });
  const mails = data?.deadNotificationMails;
  if (!mails) {
    if (error && !loading) return <Problem error={error} onRetry={() => void refetch().catch(() => null)} />;
    return <Skeleton height={220} radius="lg" aria-busy />;
  }
  if (mails.nodes.length === 0) {
    return (
      <Empty icon={<IconMailCheck size={36} />} title="No mail was given up">
        Mails that a server refuses for good, or that fail again and again, come here by themselves, with what
        the server said.
      </Empty>
    );
  }
  return (
    <Card withBorder radius="lg" padding="md">
      <Text size="sm" c="dimmed" mb="sm">
        These were not told. Once the cause is mended, send them again.
      </Text>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section className={classes.scroll} tabIndex={0} aria-label="Mails given up">
        <Table miw={760} verticalSpacing={8} layout="fixed">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>What</Table.Th>
              <Table.Th w={100}>Order</Table.Th>
              <Table.Th w={150}>Given up</Table.Th>
              <Table.Th>Why</Table.Th>
              <Table.Th w={120}>Do</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {mails.nodes.map((mail) => (
              <MailRow
                key={mail.id}
                mail={mail}
                isAdmin={isAdmin}
                onSent={() => void refetch().catch(() => null)}
              />
            ))}
          </Table.Tbody>
        </Table>
      </section>
      <ShowMore more={more} page={mails.pageInfo} />
    </Card>
  );
}
