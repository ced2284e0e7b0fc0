// Something failed: what, in plain words, and what one can do.
import { Alert, Button, Code, Group, Stack, Text } from "@mantine/core";
import { IconAlertTriangle, IconRefresh } from "@tabler/icons-react";
import { Link, useLocation } from "react-router";
import { explain } from "../lib/errors";

export function Problem({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const { title, text, code, retryable, correlationId } = explain(error);
  const { pathname, search } = useLocation();
  return (
    <Alert
      color={retryable ? "yellow" : "red"}
      icon={<IconAlertTriangle aria-hidden />}
      title={title}
      role="alert"
    >
      <Stack gap="xs" align="flex-start">
        <Text size="sm">{text}</Text>
        {correlationId && (
          <Text size="xs" c="dimmed">
            If it stays, tell us this number: <Code>{correlationId}</Code>
          </Text>
        )}
        <Group gap="xs">
          {onRetry && retryable && (
            <Button
              size="xs"
              variant="default"
              leftSection={<IconRefresh size={14} aria-hidden />}
              onClick={onRetry}
            >
              Try again
            </Button>
          )}
          {code === "UNAUTHENTICATED" && (
            <Button size="xs" component={Link} to="/login" state={{ from: pathname + search }}>
              Sign in
            </Button>
          )}
        </Group>
      </Stack>
    </Alert>
  );
}
