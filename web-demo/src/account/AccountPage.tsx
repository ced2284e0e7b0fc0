// The account: who one is, a new password, and leaving every device at once.
import { useMutation, useQuery } from "@apollo/client/react";
import {
  Alert,
  Badge,
  Button,
  Card,
  Group,
  PasswordInput,
  Skeleton,
  Stack,
  Text,
  Title,
} from "@mantine/core";
import { IconCircleCheck } from "@tabler/icons-react";
import { useState } from "react";
import { Navigate, useLocation, useNavigate } from "react-router";
import { notifyFault, notifyRefused } from "../components/failure";
import { Problem } from "../components/Problem";
import { usePageTitle } from "../components/usePageTitle";
import { type AuthErrorCode, EndSessionDocument, SessionsDocument } from "../gql/documents";
import { formatDateTime } from "../lib/dates";
import { authWords } from "../lib/errors";
import { Preferences } from "../notices/Preferences";
import { useSession } from "../session/SessionProvider";

type Field = "current" | "next";

const FIELDS: Partial<Record<AuthErrorCode, Field>> = {
  INVALID_CREDENTIALS: "current",
  PASSWORD_TOO_WEAK: "next",
};

function refusal(code: AuthErrorCode): string {
  return code === "INVALID_CREDENTIALS" ? "This is not your current password." : authWords[code];
}

function Password() {
  const { changePassword } = useSession();
  const [busy, setBusy] = useState(false);
  const [done, setDone] = useState(false);
  const [errors, setErrors] = useState<Partial<Record<Field | "form", string>>>({});
  const [fault, setFault] = useState<unknown>(null);

  const submit = async (form: HTMLFormElement) => {
    const data = new FormData(form);
    setBusy(true);
    setDone(false);
    setErrors({});
    setFault(null);
    try {
      const refusals = await changePassword(String(data.get("current")), String(data.get("next")));
      setErrors(Object.fromEntries(refusals.map(({ code }) => [FIELDS[code] ?? "form", refusal(code)])));
      if (refusals.length === 0) {
        form.reset();
        setDone(true);
      }
    } catch (error) {
      setFault(error);
    } finally {
      setBusy(false);
    }
  };

  return (
    <Card withBorder radius="lg" padding="lg">
      <Title order={2} size="h4" mb="md">
        Password
      </Title>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void submit(event.currentTarget);
        }}
      >
        <Stack gap="md">
          {done && (
            <Alert color="teal" icon={<IconCircleCheck aria-hidden />} role="status">
              Your password is changed, and every other device is signed out.
            </Alert>
          )}
          {errors.form && (
            <Alert color="red" role="alert">
              {errors.form}
            </Alert>
          )}
          {fault !== null && <Problem error={fault} />}
          <PasswordInput
            name="current"
            label="Current password"
            autoComplete="current-password"
            error={errors.current}
            required
          />
          <PasswordInput
            name="next"
            label="New password"
            description="8 characters or more. A few words make a good one."
            autoComplete="new-password"
            minLength={8}
            error={errors.next}
            required
          />
          <Group justify="flex-end">
            <Button type="submit" loading={busy}>
              Change the password
            </Button>
          </Group>
        </Stack>
      </form>
    </Card>
  );
}

function Sessions() {
  const { data, loading, error, refetch } = useQuery(SessionsDocument, { fetchPolicy: "network-only" });
  const [end, { loading: ending }] = useMutation(EndSessionDocument);
  const close = async (sessionId: string) => {
    try {
      const { data: ended } = await end({ variables: { input: { sessionId } } });
      const refused = ended?.endSession.userErrors[0];
      if (refused) notifyRefused(authWords[refused.code]);
      await refetch();
    } catch (failed) {
      notifyFault(failed);
    }
  };
  if (!data?.sessions) {
    if (error && !loading) return <Problem error={error} onRetry={() => void refetch()} />;
    return <Skeleton height={60} aria-busy />;
  }
  return (
    <Stack component="ul" gap="sm" p={0} m={0} mb="md" style={{ listStyle: "none" }}>
      {data.sessions.map((session) => (
        <Group component="li" key={session.id} justify="space-between" wrap="nowrap">
          <div>
            <Text size="sm">Signed in on {formatDateTime(session.createdAt)}</Text>
            <Text size="xs" c="dimmed">
              last used on {formatDateTime(session.refreshedAt)}
            </Text>
          </div>
          {session.isCurrent ? (
            <Badge color="teal" variant="light" tt="none">
              This one
            </Badge>
          ) : (
            <Button
              size="xs"
              variant="default"
              disabled={ending}
              aria-label={`End the session of ${formatDateTime(session.createdAt)}`}
              onClick={() => void close(session.id)}
            >
              End it
            </Button>
          )}
        </Group>
      ))}
    </Stack>
  );
}

function Devices() {
  const { logout } = useSession();
  const navigate = useNavigate();
  const [busy, setBusy] = useState(false);
  const leave = async () => {
    setBusy(true);
    try {
      await logout(true);
      await navigate("/");
    } catch (error) {
      notifyFault(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Card withBorder radius="lg" padding="lg">
      <Title order={2} size="h4" mb="xs">
        Devices
      </Title>
      <Sessions />
      <Text size="sm" c="dimmed" mb="md">
        Ends your sessions everywhere, this one included. What is in your cart stays.
      </Text>
      <Group justify="flex-end">
        <Button variant="default" loading={busy} onClick={() => void leave()}>
          Sign out everywhere
        </Button>
      </Group>
    </Card>
  );
}

export function AccountPage() {
  usePageTitle("Your account");
  const { user } = useSession();
  const { pathname } = useLocation();
  if (!user) return <Navigate to="/login" replace state={{ from: pathname }} />;
  return (
    <Stack gap="lg" maw={560} mx="auto">
      <div>
        <Title order={1}>Your account</Title>
        <Text c="dimmed">
          {user.displayName} · {user.email}
        </Text>
      </div>
      <Preferences />
      <Password />
      <Devices />
    </Stack>
  );
}
