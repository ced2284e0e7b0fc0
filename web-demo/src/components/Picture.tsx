// A product's picture, or a quiet tile where there is none.
import { IconPackage } from "@tabler/icons-react";
import { useState } from "react";
import { categoryIcon } from "../catalogue/categories";
import classes from "./Picture.module.css";

interface PictureProps {
  src: string | null | undefined;
  title: string;
  /** Chooses the tile where there is no picture. */
  category?: string;
  /** Beside its own title a picture says nothing new. */
  decorative?: boolean;
  eager?: boolean;
}

function hue(title: string): number {
  let sum = 0;
  for (const char of title) sum = (sum * 31 + (char.codePointAt(0) ?? 0)) % 360;
  return sum;
}

export function Picture({ src, title, category, decorative = true, eager = false }: PictureProps) {
  const [broken, setBroken] = useState(false);
  if (!src || broken) {
    const from = hue(category ?? title);
    const Icon = category ? categoryIcon(category) : IconPackage;
    return (
      <div
        className={classes.tile}
        style={{
          background: `linear-gradient(135deg, hsl(${from} 50% 91%), hsl(${from + 20} 48% 80%))`,
          color: `hsl(${from} 38% 38%)`,
        }}
        aria-hidden
      >
        <Icon size="38%" stroke={1.1} />
      </div>
    );
  }
  return (
    <img
      className={classes.image}
      src={src}
      alt={decorative ? "" : title}
      width={400}
      height={400}
      loading={eager ? "eager" : "lazy"}
      decoding="async"
      onError={() => setBroken(true)}
    />
  );
}
