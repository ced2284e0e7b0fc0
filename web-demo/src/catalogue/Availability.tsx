import { Badge } from "@mantine/core";
import type { AvailabilityStatus } from "../gql/documents";
import { open, spelled } from "../lib/words";

const LOOKS: Record<AvailabilityStatus, { label: string; color: string }> = open(
  {
    IN_STOCK: { label: "In stock", color: "teal" },
    LOW_STOCK: { label: "Only a few left", color: "orange" },
    OUT_OF_STOCK: { label: "Sold out", color: "red" },
  },
  (code) => ({ label: spelled(code), color: "gray" }),
);

/** `null` where inventory can't be asked. */
export function Availability({
  status,
  size = "md",
}: {
  status: AvailabilityStatus | null;
  size?: "sm" | "md";
}) {
  const { label, color } = status ? LOOKS[status] : { label: "Stock unknown", color: "gray" };
  return (
    <Badge color={color} variant="light" size={size} tt="none">
      {label}
    </Badge>
  );
}
