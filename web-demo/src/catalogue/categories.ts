// How categories are shown.
import {
  IconApple,
  IconBackpack,
  IconBarbell,
  IconBath,
  IconBook,
  IconBottle,
  IconBread,
  IconCar,
  IconCheese,
  IconCoffee,
  IconCookie,
  IconDeviceLaptop,
  IconFish,
  IconFlower,
  IconGlassFull,
  IconHanger,
  IconHome,
  IconHorseToy,
  IconMeat,
  IconMilk,
  IconNews,
  IconPaw,
  IconPencil,
  IconPill,
  IconPlant2,
  IconSnowflake,
  IconSofa,
  IconSoup,
  IconTag,
  IconTicket,
  IconToolsKitchen2,
  type TablerIcon,
} from "@tabler/icons-react";

const ICONS: [RegExp, TablerIcon][] = [
  [/coffee|\btea/i, IconCoffee],
  [/kitchen|cook|chef/i, IconToolsKitchen2],
  [/wine|beer|spirit|liquor|ale\b/i, IconGlassFull],
  [/drink|bottle|water|juice|bev/i, IconBottle],
  [/frzn|frozen|ice/i, IconSnowflake],
  [/seafood|fish/i, IconFish],
  [/meat|deli|pork|beef|chicken|turkey|sausage|lunch/i, IconMeat],
  [/bread|baker|pastry|bake|cake|roll/i, IconBread],
  [/cheese/i, IconCheese],
  [/milk|dairy|egg|yogurt/i, IconMilk],
  [/snack|popcorn|cookie|cracker|candy|chip|nut/i, IconCookie],
  [/soup|pasta|sauce|canned|dinner|restaurant|salad bar/i, IconSoup],
  [/produce|fruit|veg|salad|apple|nutrition|grocer/i, IconApple],
  [/drug|pharm|vitamin|medic|health|\brx\b/i, IconPill],
  [/cosmetic|hair|bath|soap|oral|tooth|skin|makeup|shav/i, IconBath],
  [/coupon/i, IconTicket],
  [/auto|fuel|gas\b/i, IconCar],
  [/pet|dog|cat\b/i, IconPaw],
  [/floral|flower/i, IconFlower],
  [/garden|plant|seed/i, IconPlant2],
  [/news|magazine/i, IconNews],
  [/toy|kid|baby|infant/i, IconHorseToy],
  [/outdoor|camp|travel/i, IconBackpack],
  [/sport/i, IconBarbell],
  [/tech|electr|audio|photo|video/i, IconDeviceLaptop],
  [/living|furni|decor/i, IconSofa],
  [/home|house|clean|laundry/i, IconHome],
  [/station|desk|office|paper|\bart\b/i, IconPencil],
  [/book/i, IconBook],
  [/cloth|wear|fashion|apparel|accessor|hosiery/i, IconHanger],
];

/** A picture for a category, by what its name says. */
export function categoryIcon(name: string): TablerIcon {
  return ICONS.find(([pattern]) => pattern.test(name))?.[1] ?? IconTag;
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
