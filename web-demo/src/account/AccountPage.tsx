// The account: who one is, a new password, and leaving every device at once.
import { Alert, Button, Card, Group, PasswordInput, Stack, Text, Title } from "@mantine/core";
import { IconCircleCheck } from "@tabler/icons-react";
import { useState } from "react";
import { Navigate, useLocation, useNavigate } from "react-router";
import { notifyFault } from "../components/failure";
import { Problem } from "../components/Problem";
import { usePageTitle } from "../components/usePageTitle";
import type { AuthErrorCode } from "../gql/documents";
import { authWords } from "../lib/errors";
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
      <Password />
      <Devices />
    </Stack>
  );
}
