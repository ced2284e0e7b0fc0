// Sends once more what was given up, or has ended.
import { Button } from "@mantine/core";
import { useState } from "react";
import { notifyFault, notifyRefused } from "../components/failure";

interface SendAgainProps {
  /** Asks for it; the refusal in words, if it was refused. */
  send(): Promise<string | undefined>;
  onDone(): void;
}

export function SendAgain({ send, onDone }: SendAgainProps) {
  const [busy, setBusy] = useState(false);
  const run = async () => {
    setBusy(true);
    try {
      const refusal = await send();
      if (refusal) notifyRefused(refusal);
      onDone();
    } catch (error) {
      notifyFault(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button size="xs" variant="light" loading={busy} onClick={() => void run()}>
      Send again
    </Button>
  );
}
