// What a list can be narrowed to: brands with their counts, and a price range.
import { ActionIcon, Checkbox, Group, NumberInput, ScrollArea, Stack, Text, Title } from "@mantine/core";
import { IconArrowRight } from "@tabler/icons-react";
import { useState } from "react";
import type { ProductFacetsQuery } from "../gql/documents";
import type { Wanted } from "./filters";

type Facet = ProductFacetsQuery["products"]["facets"][number];

interface FacetsProps {
  facets: readonly Facet[];
  wanted: Wanted;
  onChange(next: Partial<Wanted>): void;
}

function PriceRange({ wanted, onChange }: Omit<FacetsProps, "facets">) {
  const [min, setMin] = useState<string | number>(wanted.minPrice ?? "");
  const [max, setMax] = useState<string | number>(wanted.maxPrice ?? "");
  const text = (value: string | number) => (value === "" ? null : String(value));
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        onChange({ minPrice: text(min), maxPrice: text(max) });
      }}
    >
      <Title order={2} size="h6" mb="xs">
        Price
      </Title>
      <Group gap="xs" wrap="nowrap" align="flex-end">
        <NumberInput
          size="sm"
          aria-label="Lowest price"
          placeholder="from"
          min={0}
          decimalScale={2}
          hideControls
          value={min}
          onChange={setMin}
        />
        <NumberInput
          size="sm"
          aria-label="Highest price"
          placeholder="to"
          min={0}
          decimalScale={2}
          hideControls
          value={max}
          onChange={setMax}
        />
        <ActionIcon type="submit" variant="default" size={36} aria-label="Apply the price range">
          <IconArrowRight size={16} aria-hidden />
        </ActionIcon>
      </Group>
    </form>
  );
}

export function Facets({ facets, wanted, onChange }: FacetsProps) {
  const brands = facets.find((facet) => facet.name === "brand")?.values ?? [];
  return (
    <Stack gap="lg">
      <PriceRange key={`${wanted.minPrice}-${wanted.maxPrice}`} wanted={wanted} onChange={onChange} />
      {brands.length > 0 && (
        <div>
          <Title order={2} size="h6" mb="xs">
            Brand
          </Title>
          <ScrollArea.Autosize mah={420} type="auto" offsetScrollbars>
            <Stack gap={8}>
              {brands.map((brand) => (
                <Checkbox
                  key={brand.value}
                  checked={wanted.brand === brand.value}
                  onChange={(event) => onChange({ brand: event.currentTarget.checked ? brand.value : null })}
                  label={
                    <>
                      {brand.label}{" "}
                      <Text component="span" size="xs" c="dimmed">
                        {brand.count}
                      </Text>
                    </>
                  }
                />
              ))}
            </Stack>
          </ScrollArea.Autosize>
        </div>
      )}
    </Stack>
  );
}
