// How the rooms show figures: a tile, the colours of a chart in words, and counts as bars.
import { Card, Group, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./Ops.module.css";

export const SEA = "var(--mantine-color-sea-4)";
export const DARK_SEA = "var(--mantine-color-sea-7)";
export const ORANGE = "var(--mantine-color-orange-6)";

export const whole = new Intl.NumberFormat();

export function Tile({ label, value, hint }: { label: string; value: ReactNode; hint?: string }) {
  return (
    <Card withBorder radius="lg" padding="md">
      <Text size="sm" c="dimmed">
        {label}
      </Text>
      <div className={classes.figure}>{value}</div>
      <Text size="xs" c="dimmed">
        {hint ?? "\u00a0"}
      </Text>
    </Card>
  );
}

export function Legend({ entries }: { entries: [string, string][] }) {
  return (
    <Group gap="md" aria-hidden>
      {entries.map(([color, name]) => (
        <Group key={name} gap={6}>
          <span style={{ width: 10, height: 10, borderRadius: 3, background: color }} />
          <Text size="xs" c="dimmed">
            {name}
          </Text>
        </Group>
      ))}
    </Group>
  );
}

export interface Bar {
  name: string;
  /** As it is written. */
  value: string;
  /** 0 to 1: how long its bar is. */
  share: number;
}

export function Bars({ bars, color = ORANGE }: { bars: readonly Bar[]; color?: string }) {
  return (
    <Stack gap={10}>
      {bars.map(({ name, value, share }) => (
        <div key={name}>
          <Group justify="space-between" gap="xs" wrap="nowrap">
            <Text size="sm">{name}</Text>
            <Text size="sm" fw={600} className={classes.number ?? ""}>
              {value}
            </Text>
          </Group>
          <div className={classes.bar} aria-hidden>
            <span style={{ width: `${Math.min(1, share) * 100}%`, background: color }} />
          </div>
        </div>
      ))}
    </Stack>
  );
}
