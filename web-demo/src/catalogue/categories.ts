// How categories are shown.
import {
  IconBackpack,
  IconBarbell,
  IconBook,
  IconBottle,
  IconBuildingStore,
  IconCoffee,
  IconDeviceLaptop,
  IconHanger,
  IconHome,
  IconHorseToy,
  IconLeaf,
  IconPencil,
  IconPlant2,
  IconSofa,
  IconToolsKitchen2,
  type TablerIcon,
} from "@tabler/icons-react";

const ICONS: [RegExp, TablerIcon][] = [
  [/kitchen|cook/i, IconToolsKitchen2],
  [/coffee|tea/i, IconCoffee],
  [/drink|bottle/i, IconBottle],
  [/garden|plant|flower|seed/i, IconPlant2],
  [/produce|grocer|natural/i, IconLeaf],
  [/toy|kid|baby/i, IconHorseToy],
  [/outdoor|camp|travel/i, IconBackpack],
  [/sport/i, IconBarbell],
  [/tech|electr|audio/i, IconDeviceLaptop],
  [/living|furni|decor/i, IconSofa],
  [/home|house/i, IconHome],
  [/station|desk|office|paper|art/i, IconPencil],
  [/book/i, IconBook],
  [/cloth|wear|fashion|apparel|accessor/i, IconHanger],
];

/** A picture for a category, by what its name says. */
export function categoryIcon(name: string): TablerIcon {
  return ICONS.find(([pattern]) => pattern.test(name))?.[1] ?? IconBuildingStore;
}

/** Names in capitals, as catalogues of old tills have them, as people write them. */
export function readableName(name: string): string {
  if (name !== name.toUpperCase()) return name;
  const lower = name.toLowerCase();
  return lower.replace(
    /(^|[\s/(&-])(\p{L})/gu,
    (_, before: string, letter: string) => before + letter.toUpperCase(),
  );
}
