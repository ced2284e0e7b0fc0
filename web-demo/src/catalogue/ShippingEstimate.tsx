import { useQuery } from "@apollo/client/react";
import { Group, NativeSelect, Skeleton, Text } from "@mantine/core";
import { IconTruckDelivery } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { ShippingEstimateDocument } from "../gql/documents";
import { formatMoney } from "../lib/money";
import { countries, defaultCountry } from "./countries";

export function ShippingEstimate({
  slug,
  variantId,
  quantity,
}: {
  slug: string;
  variantId: string;
  quantity: number;
}) {
  const [countryCode, setCountry] = useState(defaultCountry);
  const options = useMemo(countries, []);
  const { data, previousData, loading } = useQuery(ShippingEstimateDocument, {
    variables: { slug, countryCode, quantity },
  });
  const product = (data ?? previousData)?.product;
  const estimate = product?.variants?.find((variant) => variant?.id === variantId)?.shippingEstimate;
  return (
    <Group gap="sm" align="center">
      <IconTruckDelivery size={20} aria-hidden />
      <NativeSelect
        size="sm"
        aria-label="Country to ship to"
        data={options}
        value={countryCode}
        onChange={(event) => setCountry(event.currentTarget.value)}
      />
      <Text size="sm" aria-live="polite">
        {loading && !product ? (
          <Skeleton component="span" height={14} width={110} display="inline-block" />
        ) : estimate ? (
          <>about {formatMoney(estimate)}</>
        ) : (
          "no estimate at the moment"
        )}
      </Text>
    </Group>
  );
}
