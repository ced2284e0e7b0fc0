import { Badge } from "@mantine/core";
import type { OrderStatus } from "../gql/documents";
import { statusWords } from "./words";

export function StatusBadge({ status, size = "lg" }: { status: OrderStatus; size?: "md" | "lg" }) {
  const { label, color } = statusWords[status];
  return (
    <Badge color={color} variant="light" size={size} tt="none">
      {label}
    </Badge>
  );
}
