import { Alert, Anchor, Button, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { Link, Navigate, useLocation, useNavigate } from "react-router";
import { Problem } from "../components/Problem";
import { usePageTitle } from "../components/usePageTitle";
import { authWords } from "../lib/errors";
import { AuthCard, comeFrom } from "./AuthCard";
import { useSession } from "./SessionProvider";

export function LoginPage() {
  usePageTitle("Sign in");
  const { user, login } = useSession();
  const { state } = useLocation();
  const navigate = useNavigate();
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<string | null>(null);
  const [fault, setFault] = useState<unknown>(null);

  if (user && !busy) return <Navigate to={comeFrom(state)} replace />;

  const submit = async (form: FormData) => {
    setBusy(true);
    setRefused(null);
    setFault(null);
    try {
      const [refusal] = await login(String(form.get("email")), String(form.get("password")));
      if (refusal) setRefused(authWords[refusal.code]);
      else await navigate(comeFrom(state), { replace: true });
    } catch (error) {
      setFault(error);
    } finally {
      setBusy(false);
    }
  };

  return (
    <AuthCard title="Sign in" lead="What is in your cart now comes with you.">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void submit(new FormData(event.currentTarget));
        }}
      >
        <Stack gap="md">
          {refused && (
            <Alert color="red" role="alert">
              {refused}
            </Alert>
          )}
          {fault !== null && <Problem error={fault} />}
          <TextInput name="email" type="email" label="E-mail" autoComplete="username" required />
          <PasswordInput name="password" label="Password" autoComplete="current-password" required />
          <Button type="submit" loading={busy} fullWidth>
            Sign in
          </Button>
          <Text size="sm" ta="center">
            New here?{" "}
            <Anchor component={Link} to="/register" state={state} underline="always">
              Create an account
            </Anchor>
          </Text>
        </Stack>
      </form>
    </AuthCard>
  );
}
