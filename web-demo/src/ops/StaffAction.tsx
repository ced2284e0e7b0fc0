// Something done by staff, after asking once more.
import { Alert, Button, Checkbox, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { type ReactNode, useRef, useState } from "react";
import { Problem } from "../components/Problem";
import { newId } from "../lib/ids";

interface StaffActionProps<Code extends string> {
  label: string;
  title: string;
  color?: string;
  children: ReactNode;
  /** Asks for a reason, and whether the units go back on the shelf. */
  refund?: boolean;
  /** For a refusal. */
  words(code: Code): string;
  /** `key`: one for all attempts of this dialog, so that a lost answer can be asked for again. */
  run(input: {
    key: string;
    reason: string;
    restock: boolean;
  }): Promise<readonly { code: Code }[] | undefined>;
  onDone?(): void;
  size?: "xs" | "sm";
}

export function StaffAction<Code extends string>({
  label,
  title,
  color = "sea",
  children,
  refund,
  words,
  run,
  onDone,
  size = "xs",
}: StaffActionProps<Code>) {
  const [opened, dialog] = useDisclosure(false);
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<string | null>(null);
  const [fault, setFault] = useState<unknown>(null);
  const [reason, setReason] = useState("");
  const [restock, setRestock] = useState(true);
  const key = useRef("");

  const open = () => {
    key.current = newId();
    setRefused(null);
    setFault(null);
    setReason("");
    dialog.open();
  };

  const confirm = async () => {
    setBusy(true);
    setRefused(null);
    setFault(null);
    try {
      const [refusal] = (await run({ key: key.current, reason: reason.trim(), restock })) ?? [];
      if (refusal) {
        setRefused(words(refusal.code));
      } else {
        dialog.close();
        onDone?.();
      }
    } catch (error) {
      setFault(error);
    } finally {
      setBusy(false);
    }
  };

  return (
    <>
      <Button size={size} variant="light" color={color} onClick={open}>
        {label}
      </Button>
      <Modal
        opened={opened}
        onClose={dialog.close}
        title={title}
        centered
        closeButtonProps={{ "aria-label": "Close" }}
      >
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void confirm();
          }}
        >
          <Stack>
            <Text size="sm">{children}</Text>
            {refund && (
              <>
                <TextInput
                  label="Reason, for the record"
                  required
                  maxLength={200}
                  value={reason}
                  onChange={(event) => setReason(event.currentTarget.value)}
                  data-autofocus
                />
                <Checkbox
                  label="The units go back on the shelf"
                  checked={restock}
                  onChange={(event) => setRestock(event.currentTarget.checked)}
                />
              </>
            )}
            {refused && (
              <Alert color="yellow" role="alert">
                {refused}
              </Alert>
            )}
            {fault !== null && <Problem error={fault} />}
            <Group justify="flex-end">
              <Button variant="default" onClick={dialog.close}>
                Leave it
              </Button>
              <Button type="submit" color={color} loading={busy}>
                {label}
              </Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </>
  );
}
