// What could not be done, as a passing note.
import { notifications } from "@mantine/notifications";
import { explain } from "../lib/errors";

export function notifyFault(error: unknown): void {
  const { title, text, correlationId } = explain(error);
  notifications.show({
    closeButtonProps: { "aria-label": "Dismiss" },
    color: "red",
    title,
    message: correlationId ? `${text} (${correlationId})` : text,
    autoClose: 10_000,
  });
}

export function notifyRefused(text: string): void {
  notifications.show({
    closeButtonProps: { "aria-label": "Dismiss" },
    color: "yellow",
    title: "That did not work",
    message: text,
    autoClose: 8_000,
  });
}
