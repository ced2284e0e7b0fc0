// Whether the page hears of each step as it happens, and what it does when it doesn't.
import { Group, Loader, Text, ThemeIcon } from "@mantine/core";
import { IconBroadcast, IconCheck, IconPlugConnectedX } from "@tabler/icons-react";
import type { Timeline } from "./timeline";

interface Look {
  icon: React.ReactNode;
  color: string;
  text: string;
}

function look({ link, cuts }: Timeline): Look {
  switch (link.kind) {
    case "connecting":
      return {
        icon: <Loader size={12} color="gray" />,
        color: "gray",
        text: "Connecting to the live feed …",
      };
    case "live":
      return {
        icon: <IconBroadcast size={16} aria-hidden />,
        color: "teal",
        text:
          link.resumedAfter === null
            ? "Live: each step appears as it happens"
            : `Live again, resumed after step ${link.resumedAfter}: nothing was missed`,
      };
    case "cut":
      return {
        icon: <IconPlugConnectedX size={16} aria-hidden />,
        color: "orange",
        text: `Connection lost. Reconnecting (attempt ${link.attempt}) … The order goes on without us.`,
      };
    case "complete":
      return {
        icon: <IconCheck size={16} aria-hidden />,
        color: "gray",
        text:
          cuts > 0
            ? "Settled. The connection was cut meanwhile; no step was missed."
            : "Settled: every step is here",
      };
    case "refused":
      return {
        icon: <IconPlugConnectedX size={16} aria-hidden />,
        color: "red",
        text: "The live feed of this order is not available",
      };
  }
}

const REPLAY: Look = {
  icon: <IconBroadcast size={16} aria-hidden />,
  color: "teal",
  text: "Quicker than the eye: here is each step as it went",
};

/** `replay`: the steps are still being shown one after another. */
export function LiveBadge({ timeline, replay }: { timeline: Timeline; replay: boolean }) {
  const { icon, color, text } = replay && timeline.link.kind === "complete" ? REPLAY : look(timeline);
  return (
    <Group gap="xs" wrap="nowrap" role="status" data-link={timeline.link.kind}>
      <ThemeIcon size={26} radius="xl" variant="light" color={color}>
        {icon}
      </ThemeIcon>
      <Text size="sm" c="dimmed">
        {text}
      </Text>
    </Group>
  );
}
