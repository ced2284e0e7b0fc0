// What is told, and how: a switch for each kind and channel.
import { useMutation, useQuery } from "@apollo/client/react";
import { Box, Card, Skeleton, Switch, Table, Text, Title } from "@mantine/core";
import { notifyFault, notifyRefused } from "../components/failure";
import { Problem } from "../components/Problem";
import {
  NoticePreferencesDocument,
  type NotificationChannel,
  type NotificationKind,
  SetNoticePreferenceDocument,
} from "../gql/documents";
import { noticeWords } from "../lib/errors";
import { NOTICE_KINDS, noticeKindWords } from "./kinds";

const CHANNELS: [NotificationChannel, string][] = [
  ["IN_APP", "In the shop"],
  ["EMAIL", "By mail"],
];

/** Of the table, so that nothing moves when it comes; its words take two lines on a phone. */
const HEIGHT = { base: 270, sm: 230 };

export function Preferences() {
  const { data, loading, error, refetch } = useQuery(NoticePreferencesDocument);
  const [set] = useMutation(SetNoticePreferenceDocument);
  const wanted = data?.me?.notificationPreferences;

  const change = async (kind: NotificationKind, channel: NotificationChannel, enabled: boolean) => {
    try {
      const { data: answer } = await set({ variables: { input: { kind, channel, enabled } } });
      const refused = answer?.setNotificationPreference.userErrors[0];
      if (refused) notifyRefused(noticeWords[refused.code]);
    } catch (failed) {
      notifyFault(failed);
    }
  };
  const isOn = (kind: NotificationKind, channel: NotificationChannel) =>
    wanted?.find((one) => one.kind === kind && one.channel === channel)?.enabled ?? false;

  return (
    <Card withBorder radius="lg" padding="lg" component="section" aria-labelledby="notifications">
      <Title order={2} size="h4" mb="md" id="notifications">
        What we tell you
      </Title>
      {!wanted && !loading && <Problem error={error} onRetry={() => void refetch()} />}
      {!wanted && loading && <Skeleton h={HEIGHT} aria-busy />}
      {wanted && (
        <Box mih={HEIGHT}>
          <Table withRowBorders={false} verticalSpacing={6}>
            <Table.Thead>
              <Table.Tr>
                <Table.Td />
                {CHANNELS.map(([channel, label]) => (
                  <Table.Th key={channel} scope="col">
                    <Text size="sm" fw={500}>
                      {label}
                    </Text>
                  </Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {NOTICE_KINDS.map((kind) => (
                <Table.Tr key={kind}>
                  <Table.Th scope="row" fw={400}>
                    <Text size="sm">{noticeKindWords[kind]}</Text>
                  </Table.Th>
                  {CHANNELS.map(([channel, how]) => (
                    <Table.Td key={channel}>
                      <Switch
                        aria-label={`${noticeKindWords[kind]}: ${how.toLowerCase()}`}
                        checked={isOn(kind, channel)}
                        onChange={(event) => void change(kind, channel, event.currentTarget.checked)}
                      />
                    </Table.Td>
                  ))}
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Box>
      )}
    </Card>
  );
}
