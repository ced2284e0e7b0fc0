// Every step as it came, with the time it took.
import { Group, Text, Timeline } from "@mantine/core";
import type { OrderEventPartsFragment } from "../gql/documents";
import { formatSpan, formatTime } from "../lib/dates";
import classes from "./StepList.module.css";
import { stepWords, type Tone } from "./words";

const COLORS: Record<Tone, string> = { neutral: "yellow", good: "sea", bad: "red", back: "grape" };

export function StepList({ events }: { events: readonly OrderEventPartsFragment[] }) {
  return (
    <Timeline
      classNames={{ itemBullet: classes.bullet ?? "" }}
      bulletSize={16}
      lineWidth={2}
      active={events.length}
    >
      {events.map((event, index) => {
        const before = events[index - 1];
        const { title, tone } = stepWords[event.step];
        return (
          <Timeline.Item
            key={event.sequence}
            color={COLORS[tone]}
            className={classes.step ?? ""}
            title={
              <Group justify="space-between" gap="xs" wrap="nowrap" align="baseline">
                <Text size="sm" fw={600}>
                  {title}
                </Text>
                <Text size="xs" c="dimmed" className={classes.time ?? ""}>
                  {formatTime(event.at)}
                  {before && ` · +${formatSpan(Date.parse(event.at) - Date.parse(before.at))}`}
                </Text>
              </Group>
            }
          >
            <Text size="sm" c="dimmed">
              {event.message}
            </Text>
          </Timeline.Item>
        );
      })}
    </Timeline>
  );
}
