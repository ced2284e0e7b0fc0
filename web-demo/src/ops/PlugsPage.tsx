// Pull a plug, and watch orders wait and recover while the books stay right.
import { Alert, Badge, Button, Card, Group, Skeleton, Stack, Text, ThemeIcon, Title } from "@mantine/core";
import {
  IconBolt,
  IconCheck,
  IconHourglass,
  IconPlugConnected,
  IconPlugOff,
  IconQuestionMark,
  IconSnowflake,
  IconX,
  type TablerIcon,
} from "@tabler/icons-react";
import { useCallback, useEffect, useRef, useState } from "react";
import { Empty } from "../components/Empty";
import { notifyRefused } from "../components/failure";
import { usePageTitle } from "../components/usePageTitle";
import { formatSpan } from "../lib/dates";
import {
  type Condition,
  dev,
  type Finding,
  type Invariants,
  NoPlugs,
  type Plug,
  type PlugAction,
  type Plugs,
} from "./dev";
import classes from "./Ops.module.css";
import { useFeed } from "./useFeed";

const LOOK_EVERY_MS = 1_500;
const AUDIT_EVERY_MS = 8_000;

const NAMES: Record<string, string> = {
  "psp-sandbox": "Payment provider",
  rabbitmq: "RabbitMQ, the broker",
  postgres: "PostgreSQL",
  redis: "Redis",
  router: "Apollo Router",
  "router-staff": "Apollo Router, for staff",
};

const WHAT: Record<string, string> = {
  auth: "Sign-in and sessions",
  product: "Catalogue and prices",
  inventory: "Stock and reservations",
  cart: "Carts",
  order: "Orders and their saga",
  payment: "Payments and refunds",
  "psp-sandbox": "Takes the money, somewhere else",
  router: "One graph out of six",
  "router-staff": "The whole graph, for this room",
  rabbitmq: "Carries events between services",
  postgres: "All books but the carts",
  redis: "Carts, caches and limits",
};

const CONDITIONS: Record<Condition, { label: string; color: string }> = {
  running: { label: "Running", color: "teal" },
  slow: { label: "Slowed", color: "yellow" },
  frozen: { label: "Frozen", color: "red" },
  unplugged: { label: "Unplugged", color: "red" },
  down: { label: "Down", color: "red" },
};

const ACTIONS: Record<PlugAction, { label: string; icon: TablerIcon; color: string }> = {
  crash: { label: "Crash", icon: IconBolt, color: "orange" },
  unplug: { label: "Unplug", icon: IconPlugOff, color: "red" },
  freeze: { label: "Freeze", icon: IconSnowflake, color: "blue" },
  slow: { label: "Slow", icon: IconHourglass, color: "yellow" },
  restore: { label: "Plug in again", icon: IconPlugConnected, color: "teal" },
};

/** Asks again and again while somebody looks. */
function useLook<T>(ask: () => Promise<T>, every: number) {
  const [state, setState] = useState<{ value: T | null; error: unknown }>({ value: null, error: null });
  const turn = useRef(0);
  const look = useCallback(async () => {
    turn.current += 1;
    const mine = turn.current;
    try {
      const value = await ask();
      if (mine === turn.current) setState({ value, error: null });
    } catch (error) {
      if (mine === turn.current) setState((before) => ({ ...before, error }));
    }
  }, [ask]);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    let over = false;
    const go = async () => {
      if (!document.hidden) await look();
      if (!over) timer = setTimeout(go, every);
    };
    void go();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [look, every]);
  const show = useCallback((value: T) => {
    turn.current += 1;
    setState({ value, error: null });
  }, []);
  return { ...state, show };
}

function Socket({ plug, onPulled }: { plug: Plug; onPulled(plugs: Plugs): void }) {
  const [busy, setBusy] = useState<PlugAction | null>(null);
  const { label, color } = CONDITIONS[plug.condition];
  const pull = async (action: PlugAction) => {
    setBusy(action);
    try {
      onPulled(await dev.pull(plug.name, action));
    } catch (error) {
      notifyRefused(
        error instanceof Error && error.message ? error.message : "The plug could not be pulled.",
      );
    } finally {
      setBusy(null);
    }
  };
  const starting = plug.condition === "running" && plug.ready === false;
  return (
    <Card
      withBorder
      radius="md"
      padding="sm"
      className={classes.socket ?? ""}
      data-condition={plug.condition}
      data-plug={plug.name}
      component="article"
      aria-label={NAMES[plug.name] ?? plug.name}
    >
      <Group justify="space-between" wrap="nowrap" gap="xs" align="flex-start">
        <div>
          <Text fw={600} size="sm">
            {NAMES[plug.name] ?? plug.name}
          </Text>
          <Text size="xs" c="dimmed">
            {WHAT[plug.name.replace(/-\d+$/, "")] ?? ""}
          </Text>
        </div>
        <Badge color={starting ? "yellow" : color} variant="light" tt="none" style={{ flexShrink: 0 }}>
          {starting ? "Not ready" : label}
        </Badge>
      </Group>
      <Group gap={6} mt="sm">
        {plug.actions.map((action) => {
          const { label: name, icon: Icon, color: tone } = ACTIONS[action];
          return (
            <Button
              key={action}
              size="compact-xs"
              variant="light"
              color={tone}
              loading={busy === action}
              disabled={busy !== null && busy !== action}
              leftSection={<Icon size={12} aria-hidden />}
              aria-label={`${name}: ${NAMES[plug.name] ?? plug.name}`}
              onClick={() => void pull(action)}
            >
              {name}
            </Button>
          );
        })}
      </Group>
    </Card>
  );
}

function Verdict({ finding }: { finding: Finding }) {
  const [Icon, color, spoken] =
    finding.holds === null
      ? ([IconQuestionMark, "gray", "not checked here"] as const)
      : finding.holds
        ? ([IconCheck, "teal", "holds"] as const)
        : ([IconX, "red", "broken"] as const);
  return (
    <li className={classes.finding} data-invariant={finding.id} data-holds={String(finding.holds)}>
      <ThemeIcon size={20} radius="xl" color={color} variant="light" role="img" aria-label={spoken}>
        <Icon size={13} aria-hidden />
      </ThemeIcon>
      <div>
        <Text size="sm">{finding.title}</Text>
        {finding.holds === false &&
          finding.notes.slice(0, 3).map((note) => (
            <Text key={note} size="xs" c="red">
              {note}
            </Text>
          ))}
      </div>
    </li>
  );
}

function Books({ report, error }: { report: Invariants | null; error: unknown }) {
  const judged = report?.findings.filter((finding) => finding.holds !== null) ?? [];
  const broken = judged.filter((finding) => !finding.holds).length;
  return (
    <Card withBorder radius="lg" padding="md" component="section" aria-label="Invariants">
      <Group justify="space-between" mb="sm">
        <Title order={2} size="h6">
          The books
        </Title>
        {report && (
          <Badge
            size="lg"
            tt="none"
            variant="light"
            color={broken > 0 ? "red" : "teal"}
            role="status"
            data-broken={broken}
          >
            {broken > 0 ? `${broken} broken` : `All ${judged.length} hold`}
          </Badge>
        )}
      </Group>
      {error !== null && (
        <Text size="sm" c="dimmed" mb="sm">
          They can't be read right now{error instanceof Error && error.message ? `: ${error.message}` : ""}.
        </Text>
      )}
      {!report && error === null && <Skeleton height={240} />}
      <Stack component="ul" gap={8} p={0} m={0} style={{ listStyle: "none" }}>
        {report?.findings.map((finding) => (
          <Verdict key={finding.id} finding={finding} />
        ))}
      </Stack>
    </Card>
  );
}

function Waiting() {
  const { figures } = useFeed();
  return (
    <Group gap="xl">
      <div>
        <Text size="sm" c="dimmed">
          Orders on their way
        </Text>
        <div className={classes.figure} data-open={figures.open}>
          {figures.open}
        </div>
      </div>
      <div>
        <Text size="sm" c="dimmed">
          Placed in the last minute
        </Text>
        <div className={classes.figure}>{figures.placedLastMinute}</div>
      </div>
      <div>
        <Text size="sm" c="dimmed">
          Placed to paid, p99
        </Text>
        <div className={classes.figure}>{figures.p99 === null ? "–" : formatSpan(figures.p99)}</div>
      </div>
    </Group>
  );
}

export function PlugsPage() {
  usePageTitle("Pull a plug");
  const plugs = useLook(dev.plugs, LOOK_EVERY_MS);
  const books = useLook(dev.invariants, AUDIT_EVERY_MS);
  if (plugs.error instanceof NoPlugs) {
    return (
      <Empty icon={<IconPlugConnected size={36} />} title="No plugs here">
        They are only within reach on a developer's own machine, for administrators, on the page that{" "}
        <code>cargo xtask up</code> serves.
      </Empty>
    );
  }
  return (
    <Stack gap="md">
      <Waiting />
      <div className={classes.plugs}>
        <Stack gap="sm">
          <Text size="sm" c="dimmed">
            Orders wait while something is away and go on when it is back. None is lost, and none is paid
            twice.
            {plugs.value &&
              (plugs.value.supervised
                ? " What crashes is started again by itself."
                : " What crashes stays down until it is plugged in again.")}
          </Text>
          {plugs.error !== null && (
            <Alert color="yellow" role="alert">
              The plugs can't be seen right now. They are asked for again.
            </Alert>
          )}
          {!plugs.value && plugs.error === null && <Skeleton height={420} aria-busy />}
          <div className={classes.sockets}>
            {plugs.value?.plugs.map((plug) => (
              <Socket key={plug.name} plug={plug} onPulled={plugs.show} />
            ))}
          </div>
        </Stack>
        <Books report={books.value} error={books.error instanceof NoPlugs ? null : books.error} />
      </div>
    </Stack>
  );
}
