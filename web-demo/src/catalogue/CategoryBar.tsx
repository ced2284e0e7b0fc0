// The categories as a row of links: the roots, and below the chosen one its children.
import { useQuery } from "@apollo/client/react";
import { Skeleton } from "@mantine/core";
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
import { Link } from "react-router";
import { CategoriesDocument } from "../gql/documents";
import classes from "./CategoryBar.module.css";
import { type Wanted, writeWanted } from "./filters";

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

function iconOf(name: string): TablerIcon {
  return ICONS.find(([pattern]) => pattern.test(name))?.[1] ?? IconBuildingStore;
}

export function CategoryBar({ wanted }: { wanted: Wanted }) {
  const { data, loading } = useQuery(CategoriesDocument);
  const all = data?.categories ?? [];
  const parents = new Map(all.map((one) => [one.id, one.parent?.id ?? null]));

  // From the chosen category up to its root.
  const path: string[] = [];
  for (let id = wanted.categoryId; id && path.length < 10; id = parents.get(id) ?? null) path.unshift(id);

  const levels = [null, ...path]
    .map((above) => all.filter((one) => (one.parent?.id ?? null) === above))
    .filter((level) => level.length > 0);

  const address = (categoryId: string | null) => {
    const query = writeWanted({ ...wanted, categoryId, brand: null }).toString();
    return query ? `/?${query}` : "/";
  };

  if (loading && all.length === 0) return <Skeleton height={44} radius="xl" />;
  if (all.length === 0) return null;
  return (
    <nav aria-label="Categories" className={classes.bar}>
      {levels.map((level, depth) => (
        <ul key={path[depth - 1] ?? "roots"} className={classes.row}>
          <li>
            <Link
              to={address(path[depth - 1] ?? null)}
              className={classes.item}
              aria-current={path.length === depth ? "page" : undefined}
              preventScrollReset
            >
              {depth === 0 ? "Everything" : "All of it"}
            </Link>
          </li>
          {level.map((one) => {
            const Icon = iconOf(one.name);
            return (
              <li key={one.id}>
                <Link
                  to={address(one.id)}
                  className={classes.item}
                  aria-current={path[depth] === one.id ? "page" : undefined}
                  preventScrollReset
                >
                  {depth === 0 && <Icon size={18} aria-hidden />}
                  {one.name}
                </Link>
              </li>
            );
          })}
        </ul>
      ))}
    </nav>
  );
}
