import { Alert, Anchor, Button, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { Link, Navigate, useLocation, useNavigate } from "react-router";
import { Problem } from "../components/Problem";
import { usePageTitle } from "../components/usePageTitle";
import type { AuthErrorCode } from "../gql/documents";
import { authWords } from "../lib/errors";
import { AuthCard, comeFrom } from "./AuthCard";
import { useSession } from "./SessionProvider";

type Field = "displayName" | "email" | "password";

/** Which input a refusal stands beside. */
const FIELDS: Partial<Record<AuthErrorCode, Field>> = {
  DISPLAY_NAME_INVALID: "displayName",
  EMAIL_INVALID: "email",
  EMAIL_TAKEN: "email",
  PASSWORD_TOO_WEAK: "password",
};

export function RegisterPage() {
  usePageTitle("Create an account");
  const { user, register } = useSession();
  const { state } = useLocation();
  const navigate = useNavigate();
  const [busy, setBusy] = useState(false);
  const [errors, setErrors] = useState<Partial<Record<Field | "form", string>>>({});
  const [fault, setFault] = useState<unknown>(null);

  if (user && !busy) return <Navigate to={comeFrom(state)} replace />;

  const submit = async (form: FormData) => {
    setBusy(true);
    setErrors({});
    setFault(null);
    try {
      const refusals = await register({
        displayName: String(form.get("displayName")),
        email: String(form.get("email")),
        password: String(form.get("password")),
      });
      if (refusals.length === 0) await navigate(comeFrom(state), { replace: true });
      setErrors(Object.fromEntries(refusals.map(({ code }) => [FIELDS[code] ?? "form", authWords[code]])));
    } catch (error) {
      setFault(error);
    } finally {
      setBusy(false);
    }
  };

  return (
    <AuthCard title="Create an account" lead="Any address will do: nothing is sent to it.">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void submit(new FormData(event.currentTarget));
        }}
      >
        <Stack gap="md">
          {errors.form && (
            <Alert color="red" role="alert">
              {errors.form}
            </Alert>
          )}
          {fault !== null && <Problem error={fault} />}
          <TextInput
            name="displayName"
            label="What should we call you?"
            autoComplete="name"
            maxLength={80}
            error={errors.displayName}
            required
          />
          <TextInput
            name="email"
            type="email"
            label="E-mail"
            autoComplete="username"
            error={errors.email}
            required
          />
          <PasswordInput
            name="password"
            label="Password"
            description="8 characters or more. A few words make a good one."
            autoComplete="new-password"
            minLength={8}
            error={errors.password}
            required
          />
          <Button type="submit" loading={busy} fullWidth>
            Create the account
          </Button>
          <Text size="sm" ta="center">
            You have one already?{" "}
            <Anchor component={Link} to="/login" state={state} underline="always">
              Sign in
            </Anchor>
          </Text>
        </Stack>
      </form>
    </AuthCard>
  );
}
