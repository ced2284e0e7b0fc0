import { Badge, Group, Text, type TextProps, VisuallyHidden } from "@mantine/core";
import { discountPercent, formatMoney, type Money } from "../lib/money";

interface PriceProps extends TextProps {
  price: Money;
  before?: Money | null | undefined;
  from?: boolean;
}

/** A price, and the former one struck out when it was higher. */
export function Price({ price, before, from, ...text }: PriceProps) {
  const percent = discountPercent(price, before);
  return (
    <Group gap={6} align="baseline" wrap="wrap">
      <Text component="span" fw={700} style={{ fontVariantNumeric: "tabular-nums" }} {...text}>
        {from && (
          <Text component="span" size="xs" fw={400} c="dimmed">
            from{" "}
          </Text>
        )}
        {formatMoney(price)}
      </Text>
      {before && percent !== null && (
        <>
          <Text component="span" size="sm" c="dimmed" td="line-through">
            <VisuallyHidden>formerly </VisuallyHidden>
            {formatMoney(before)}
          </Text>
          <Badge color="orange" variant="light" size="sm">
            −{percent} %
          </Badge>
        </>
      )}
    </Group>
  );
}
