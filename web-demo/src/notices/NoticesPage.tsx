// What one was told, newest first.
import { useMutation, useQuery } from "@apollo/client/react";
import {
  Anchor,
  Button,
  Card,
  Group,
  Indicator,
  Skeleton,
  Stack,
  Text,
  Title,
  VisuallyHidden,
} from "@mantine/core";
import { IconBell } from "@tabler/icons-react";
import { Link, Navigate, useLocation } from "react-router";
import { Empty } from "../components/Empty";
import { notifyFault, notifyRefused } from "../components/failure";
import { Problem } from "../components/Problem";
import { ShowMore } from "../components/ShowMore";
import { useNextPage } from "../components/useNextPage";
import { usePageTitle } from "../components/usePageTitle";
import { MarkNoticesReadDocument, type NoticePartsFragment, NoticesDocument } from "../gql/documents";
import { formatDateTime } from "../lib/dates";
import { noticeWords } from "../lib/errors";
import { useSession } from "../session/SessionProvider";
import { useUnread } from "./useNotices";

const PAGE = 20;

function useMarkRead() {
  const [mark, { loading }] = useMutation(MarkNoticesReadDocument);
  /** These, or all of them. Shown as read at once: on the way to an order nobody waits for this. */
  const read = async (notices: NoticePartsFragment[], all: boolean) => {
    const readAt = new Date().toISOString();
    try {
      const { data } = await mark({
        variables: { input: all ? {} : { notificationIds: notices.map(({ id }) => id) } },
        update: (cache, { data: answer }) => {
          if (answer?.markNotificationsRead.userErrors.length !== 0) return;
          for (const notice of notices) {
            cache.modify({
              id: cache.identify({ __typename: "Notification", id: notice.id }),
              fields: { readAt: (before: string | null) => before ?? readAt },
            });
          }
        },
      });
      const refused = data?.markNotificationsRead.userErrors[0];
      if (refused) notifyRefused(noticeWords[refused.code]);
    } catch (error) {
      notifyFault(error);
    }
  };
  return { read, loading };
}

function Notice({ notice, onRead }: { notice: NoticePartsFragment; onRead(): void }) {
  const fresh = !notice.readAt;
  const title = (
    <Text fw={fresh ? 700 : 500}>
      {fresh && <VisuallyHidden>Not read yet: </VisuallyHidden>}
      {notice.title}
    </Text>
  );
  return (
    <Card component="li" withBorder radius="lg" padding="md">
      <Indicator disabled={!fresh} color="orange" size={10} offset={-7} position="top-start" zIndex={1}>
        {notice.order ? (
          <Anchor component={Link} to={`/orders/${notice.order.id}`} onClick={() => fresh && onRead()}>
            {title}
          </Anchor>
        ) : (
          title
        )}
      </Indicator>
      <Text size="sm" mt={4}>
        {notice.body}
      </Text>
      <Text size="xs" c="dimmed" mt={4}>
        {formatDateTime(notice.createdAt)}
        {notice.order && ` · order ${notice.order.number}`}
      </Text>
    </Card>
  );
}

export function NoticesPage() {
  usePageTitle("Notifications");
  const { user } = useSession();
  const { pathname } = useLocation();
  const variables = { first: PAGE };
  const more = useNextPage(NoticesDocument, variables);
  const { read, loading: marking } = useMarkRead();
  const unread = useUnread();
  const { data, loading, error, refetch } = useQuery(NoticesDocument, {
    variables,
    skip: !user,
    fetchPolicy: "cache-and-network",
    nextFetchPolicy: "cache-first",
  });
  if (!user) return <Navigate to="/login" replace state={{ from: pathname }} />;
  const page = data?.me?.notifications;
  const notices = page?.nodes ?? [];

  if (!page && loading) {
    return (
      <Stack aria-busy maw={720} mx="auto">
        <Skeleton height={40} width={220} />
        <Skeleton height={92} radius="lg" />
        <Skeleton height={92} radius="lg" />
      </Stack>
    );
  }
  if (!page) return <Problem error={error} onRetry={() => void refetch()} />;
  if (notices.length === 0) {
    return (
      <Empty icon={<IconBell size={36} />} title="Nothing to tell yet">
        What becomes of your orders is told here, and by mail. <Link to="/account">Choose what.</Link>
      </Empty>
    );
  }
  return (
    <Stack gap="lg" maw={720} mx="auto">
      <Group justify="space-between" align="flex-end">
        <Title order={1}>Notifications</Title>
        <Group gap="sm">
          <Anchor component={Link} to="/account#notifications" size="sm">
            Choose what
          </Anchor>
          <Button
            variant="default"
            size="xs"
            disabled={unread === 0}
            loading={marking}
            onClick={() => void read(notices, true)}
          >
            Mark all as read
          </Button>
        </Group>
      </Group>
      <Stack component="ul" gap="sm" p={0} m={0} style={{ listStyle: "none" }}>
        {notices.map((notice) => (
          <Notice key={notice.id} notice={notice} onRead={() => void read([notice], false)} />
        ))}
      </Stack>
      <ShowMore more={more} page={page.pageInfo}>
        Show older ones
      </ShowMore>
    </Stack>
  );
}
