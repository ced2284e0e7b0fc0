// The categories as a row of links: the roots, and below the chosen one its children.
import { useQuery } from "@apollo/client/react";
import { Skeleton } from "@mantine/core";
import { Link } from "react-router";
import { CategoriesDocument } from "../gql/documents";
import classes from "./CategoryBar.module.css";
import { categoryIcon, readableName } from "./categories";
import { type Wanted, writeWanted } from "./filters";

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
            const Icon = categoryIcon(one.name);
            return (
              <li key={one.id}>
                <Link
                  to={address(one.id)}
                  className={classes.item}
                  aria-current={path[depth] === one.id ? "page" : undefined}
                  preventScrollReset
                >
                  {depth === 0 && <Icon size={18} aria-hidden />}
                  {readableName(one.name)}
                </Link>
              </li>
            );
          })}
        </ul>
      ))}
    </nav>
  );
}
